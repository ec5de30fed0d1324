/** Empties the text fields of a form that hold what was sent. What was typed in them since is for the next time. */
export function emptySent(form: HTMLFormElement, sent: FormData): void {
  for (const field of form.elements) {
    if (!(field instanceof HTMLInputElement) || field.type !== 'text') continue;
    if (field.value === sent.get(field.name)) field.value = field.defaultValue;
  }
}
