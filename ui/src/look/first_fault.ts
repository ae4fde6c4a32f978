// Where a form cannot be sent, the keyboard goes to the first field that says so.

export function focusFirstFault(form: HTMLFormElement | undefined): void {
  form?.querySelector<HTMLElement>('[aria-invalid="true"], [aria-describedby$="-fault"] select')?.focus()
}
