export * from "./reader.js";
export {
  type Destination,
  FileDestination,
  type FileDestinationOptions,
  SocketDestination,
  type SocketDestinationOptions,
} from "./tracker/destinations.js";
export {
  CaptureExistsError,
  CaptureWriteError,
  HeaprayError,
  SocketInterruptedError,
  SocketListenError,
  TrackerActiveError,
  TrackerReusedError,
  UnsupportedPlatformError,
} from "./tracker/errors.js";
export { FileFormat, type TrackerOptions, type TrackerSettings } from "./tracker/options.js";
export { Tracker } from "./tracker/tracker.js";
