package javax.annotation;

/** The mark that generated code bears; it left the JDK with Java 11. */
public @interface Generated {
    String value();

    String comments();
}
