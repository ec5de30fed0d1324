import { type ComponentProps, startTransition, useOptimistic } from 'react';

interface CheckboxProps extends ComponentProps<'input'> {
  readonly checked: boolean;
  readonly onSet: (checked: boolean) => Promise<unknown>;
}

/** Shows what it was set to before that is saved, and goes back where it cannot be. */
export function Checkbox({ checked, onSet, ...rest }: CheckboxProps) {
  const [shown, show] = useOptimistic(checked);
  const set = (wanted: boolean) =>
    startTransition(async () => {
      show(wanted);
      await onSet(wanted);
    });
  return <input {...rest} type="checkbox" checked={shown} onChange={({ target }) => set(target.checked)} />;
}
