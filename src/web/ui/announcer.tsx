/** The one place from which the studio speaks to screen readers of what happens elsewhere on the page. To be used sparingly. */
import { signal } from "@preact/signals";

const message = signal("");
/** Longer than a reader takes to notice; later the words would be found at the end of a page that they are not about. */
const keptMs = 10_000;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Said when the reader pauses. The same words twice are said twice. */
export function announce(words: string): void {
  message.value = message.value === words ? `${words}\u00a0` : words;
  clearTimeout(timer);
  timer = setTimeout(() => (message.value = ""), keptMs);
}

/** Stands in the page once, from the start: readers do not hear regions that come with their words. */
export function Announcer() {
  return (
    <p class="visually-hidden" role="status">
      {message}
    </p>
  );
}
