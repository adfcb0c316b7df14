import type { ComponentChildren } from "preact";

function Icon({ children, size = 16 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.4"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const SearchIcon = () => (
  <Icon>
    <circle cx="7" cy="7" r="4.2" />
    <path d="m10.2 10.2 3.3 3.3" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon size={14}>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Icon>
);

export const SunIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.6v1.2M8 13.2v1.2M1.6 8h1.2M13.2 8h1.2M3.5 3.5l.8.8M11.7 11.7l.8.8M3.5 12.5l.8-.8M11.7 4.3l.8-.8" />
  </Icon>
);

export const MoonIcon = () => (
  <Icon>
    <path d="M13 9.6A5.4 5.4 0 0 1 6.4 3a5.4 5.4 0 1 0 6.6 6.6Z" />
  </Icon>
);

export const ChevronIcon = () => (
  <Icon size={12}>
    <path d="m4 6 4 4 4-4" />
  </Icon>
);

export const IcicleIcon = () => (
  <Icon>
    <path d="M2 3.5h12M2 8h8M2 12.5h4" stroke-width="2.4" stroke-linecap="butt" />
  </Icon>
);

export const FlameIcon = () => (
  <Icon>
    <path d="M2 3.5h4M2 8h8M2 12.5h12" stroke-width="2.4" stroke-linecap="butt" />
  </Icon>
);

export const ResetIcon = () => (
  <Icon>
    <path d="M2.5 8h11M2.5 8l2.6-2.6M2.5 8l2.6 2.6M13.5 8l-2.6-2.6M13.5 8l-2.6 2.6" />
  </Icon>
);

export const CopyIcon = () => (
  <Icon>
    <path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3" />
  </Icon>
);

export const DownloadIcon = () => (
  <Icon>
    <path d="M8 2.5v7.5M4.8 7 8 10.2 11.2 7M2.5 13.5h11" />
  </Icon>
);

export const PauseIcon = () => (
  <Icon>
    <path d="M5.5 3.5v9M10.5 3.5v9" stroke-width="2.2" stroke-linecap="butt" />
  </Icon>
);

export const PlayIcon = () => (
  <Icon>
    <path d="M5 3.2v9.6L12.6 8z" fill="currentColor" />
  </Icon>
);

export const Mark = () => (
  <svg class="mark" width="18" height="18" viewBox="0 0 16 16" aria-hidden="true">
    <path class="mark-1" d="M1 2h14v3.4H1z" />
    <path class="mark-2" d="M1 6.3h9v3.4H1z" />
    <path class="mark-3" d="M1 10.6h4.5V14H1z" />
  </svg>
);
