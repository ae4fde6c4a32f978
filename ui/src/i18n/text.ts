// Filling of placeholders and French spacing. Pure.

/** Replaces `{name}`; a name without a value stays visible, so that a test sees it. */
export function fill(message: string, values: Record<string, string | number>): string {
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))
}

/** No line break before the French double signs, inside quotes and between thousands. */
export function typography(text: string): string {
  return text.replace(/ ([:;!?»%])/g, '\u00a0$1').replace(/« /g, '«\u00a0')
}
