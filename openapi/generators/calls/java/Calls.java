import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import lavit.ApiClient;
import lavit.ApiException;
import lavit.JSON;
import lavit.api.JobsApi;
import lavit.model.*;

/** The client of openapi-generator does every job. */
public class Calls {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("LAVIT_URL"));
        JobsApi jobs = new JobsApi(client);
        byte[] file = Files.readAllBytes(Path.of("../../test/fixtures/scene.png"));
        ImageInput image = new ImageInput(Base64.getEncoder().encodeToString(file));

        TokenizeResponse tokens = jobs.tokenize(new TokenizeRequest().image(image));
        ImagesResponse painted = jobs.detokenize(new DetokenizeRequest().visualTokens(tokens.getVisualTokens()));
        check(painted.getImages().get(0).getMediaType().getValue().equals("image/png"));
        CaptionResponse captions = jobs.caption(new CaptionRequest().image(image).numBeams(1));
        check(captions.getCaptions().get(0).getText().contains("dog"));
        VqaResponse answers = jobs.vqa(new VqaRequest().image(image).question("how many objects are there?"));
        check(answers.getAnswers().get(0).getText().equals("two"));
        ImagePart picture = new ImagePart().image(image);
        picture.setType(ImagePart.TypeEnum.IMAGE);
        TextPart words = new TextPart().text("on a red background");
        words.setType(TextPart.TypeEnum.TEXT);
        List<PromptPart> parts = List.of(new PromptPart(picture), new PromptPart(words));
        check(jobs.generate(new GenerateRequest().prompt(parts).seed(7L)).getImages().size() == 1);
        try {
            jobs.generate(new GenerateRequest().prompt("a dog").topP(2.0));
            check(false);
        } catch (ApiException refused) {
            Problem problem = JSON.getDefault().getMapper().readValue(refused.getResponseBody(), Problem.class);
            check(problem.getCode().equals("invalid_field"));
        }
    }

    private static void check(boolean isTrue) {
        if (!isTrue) throw new AssertionError();
    }
}
