// Titles as the server makes them, without what stands beside them anyway.

/**
 * A group's title is `class-slug: message at place`. The class stands beside it in words, so that the
 * message and place are the headline; a title that says no more than the slug gives the label.
 */
export function groupHeadline(title: string, classLabel: string): string {
  const match = /^([a-z]+(?:-[a-z]+)*): (.+)$/s.exec(title);
  const rest = match?.[2];
  if (rest === undefined) return title === "" ? classLabel : title;
  return rest.charAt(0).toUpperCase() + rest.slice(1);
}
