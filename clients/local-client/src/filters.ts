/** Text as a value within `or(...)` or `in.(...)`, whatever characters it has. */
export const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

/**
 * A pattern of `ilike` for what contains a text, which is taken as it is: `%` and `_` are no wildcards in it.
 *
 * The interface reads `*` as `%` and has no way to write the character itself, so it stands for any one character.
 */
export const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&').replaceAll('*', '_')}%`;

/**
 * A condition for `.or(...)`: one of the columns contains one of the texts, in upper or lower case.
 *
 * Texts may be whatever a person types. Between backticks, `,` `(` `)` `"` `\` and `%` would end the value or mean something else.
 *
 * @example
 * localClient.from('resources').select('*').or(ilikeAny(['title', 'description'], typed)).execute()
 */
export function ilikeAny(columns: readonly string[], texts: string | readonly string[]): string {
  const patterns = [texts].flat().map((text) => quoted(containing(text)));
  return patterns.flatMap((pattern) => columns.map((column) => `${column}.ilike.${pattern}`)).join(',');
}

/** An array as PostgreSQL reads it. Members keep their commas, quotes and braces. */
export const arrayLiteral = (members: readonly unknown[]): string =>
  `{${members.map((member) => (member === null ? 'NULL' : quoted(String(member)))).join(',')}}`;
