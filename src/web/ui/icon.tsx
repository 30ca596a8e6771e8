/** The studio's few pictures, drawn with the pen of the text around them. For the eye alone: words say the same beside them. */
const paths = {
  microphone: "M12 3a3 3 0 0 0-3 3v6a3 3 0 0 0 6 0V6a3 3 0 0 0-3-3ZM6 11v1a6 6 0 0 0 12 0v-1M12 18v3M9 21h6",
  stop: "M7.5 6h9A1.5 1.5 0 0 1 18 7.5v9a1.5 1.5 0 0 1-1.5 1.5h-9A1.5 1.5 0 0 1 6 16.5v-9A1.5 1.5 0 0 1 7.5 6Z",
  play: "M8 5.5v13l10.5-6.5L8 5.5Z",
  pause: "M8.5 5.5v13M15.5 5.5v13",
  file: "M7 3.5h7l4 4v13H7v-17ZM14 3.5v4h4",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  sessions: "M5 6h14M5 12h14M5 18h9",
  rooms:
    "M8.5 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM3 19c.4-3 2.6-5 5.5-5s5.1 2 5.5 5M15.5 5.4a3 3 0 0 1 0 5.3M17 14.3c2.2.6 3.7 2.3 4 4.7",
  key: "M14.5 13a4.5 4.5 0 1 0-4.2-2.9L4 16.4V20h3.6v-2.2h2.2v-2.2l1.6-1.6c.9.6 2 1 3.1 1ZM16 8.6v.01",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4.5 20.5c.7-3.8 3.7-6 7.5-6s6.8 2.2 7.5 6",
  check: "M5 12.5 10 17.5 19 7",
  warning: "M12 4 2.8 19.5h18.4L12 4ZM12 10v4.5M12 17v.01",
  info: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18ZM12 11v5.5M12 7.8v.01",
  plus: "M12 5v14M5 12h14",
  next: "M9.5 5.5 16 12l-6.5 6.5",
  back: "M14.5 5.5 8 12l6.5 6.5",
  signOut: "M10 4H5v16h5M14 8l4 4-4 4M18 12H9",
  trash: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.8 13h9.4l.8-13M10 11v5.5M14 11v5.5",
  chart: "M4 19.5h16M6.5 16v-4M11 16V6M15.5 16V9.5",
} as const;

export type IconName = keyof typeof paths;

export function Icon({ name, label }: { readonly name: IconName; readonly label?: string }) {
  const spoken =
    label === undefined ? { "aria-hidden": true } : { role: "img" as const, "aria-label": label };
  return (
    <svg class="icon" viewBox="0 0 24 24" {...spoken}>
      <path d={paths[name]} />
    </svg>
  );
}
