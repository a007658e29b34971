/** One of a few, all in sight. */

type Props<T extends string> = { label: string; options: readonly T[]; value: T; onChoose: (value: T) => void }

export function Choose<T extends string> ({ label, options, value, onChoose }: Props<T>) {
  return (
    <div class='choose' role='group' aria-label={label}>
      {options.map(option => (
        <button key={option} type='button' aria-pressed={option === value} onClick={() => onChoose(option)}>
          {option}
        </button>
      ))}
    </div>
  )
}
