#include "node/windows.h"

#include <fcntl.h>
#include <node.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <utility>

#include "node/isolates.h"
#include "node/js_heap.h"
#include "node/signal_loop.h"
#include "process/untracked.h"
#include "record/file_sinks.h"
#include "tracker.h"

namespace heapray {
namespace {

// Files of these names that others made are passed over; so many at most.
constexpr uint32_t kMostTaken = 100'000;

enum class State { kClosed, kIdle, kOpen, kEnding };

// Of the main thread. Never destroyed: a window may be ending as the process does.
Windows::Settings& g_settings = *new Windows::Settings;
State g_state = State::kClosed;
v8::Isolate* g_isolate = nullptr;
int g_owner_pid = 0;
uint32_t g_number = 0;   // of the last window
uint64_t g_session = 0;  // its session
bool g_again = false;    // a signal came while it was ending: another one begins then

// Where the main thread is reached; nullptr when it is about to end.
std::mutex g_environment_mutex;
node::Environment* g_environment = nullptr;

void OnMainThread(void (*call)(void*)) {
  std::lock_guard lock(g_environment_mutex);
  if (g_environment != nullptr) node::RequestInterrupt(g_environment, call, nullptr);
}

uint64_t NowMs() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

std::string PathOf(uint32_t number) { return g_settings.stem + "." + std::to_string(number) + g_settings.suffix; }

// A line for `heapray run` (src/cli/window-reports.ts): `ready`, `begun <number>`, `ended <number> <1: complete>`, or
// `failed <why>`.
[[gnu::format(printf, 1, 2)]] void Report(const char* line, ...) {
  if (g_settings.reports < 0) return;
  char text[512];
  va_list arguments;
  va_start(arguments, line);
  int length = vsnprintf(text, sizeof text, line, arguments);
  va_end(arguments);
  if (length <= 0) return;
  size_t bytes = static_cast<size_t>(length) < sizeof text ? static_cast<size_t>(length) : sizeof text - 1;
  (void)!send(g_settings.reports, text, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

// Where nobody listens, the user is told.
void Tell(bool failure, const std::string& sentence) {
  if (g_settings.reports >= 0 || (g_settings.quiet && !failure)) return;
  std::string text = "[heapray] process " + std::to_string(getpid()) + ": " + sentence + "\n";
  (void)!write(STDERR_FILENO, text.data(), text.size());
}

void Fail(const std::string& why) {
  Report("failed %s\n", why.c_str());
  Tell(true, "no window begins: " + why);
}

// The next window's file, with its number in g_number.
OwnedFd OpenNext() {
  for (uint32_t tries = 0;; tries++) {
    g_number++;
    OwnedFd fd = OpenCaptureFile(PathOf(g_number).c_str(), g_settings.overwrite);
    if (fd.get() >= 0 || errno != EEXIST || tries == kMostTaken) return fd;
  }
}

void Begin() {
  if (Tracker::Get().active()) {
    Fail("a tracker is active in this process; stop it first.");
    return;
  }
  Session::MakeWay();
  uint32_t before = g_number;
  OwnedFd fd = OpenNext();
  std::string path = PathOf(g_number);
  if (fd.get() < 0) {
    int error = errno;
    g_number = before;
    Fail("cannot write the capture " + path + ": " + strerror(error) + ".");
    return;
  }
  std::unique_ptr<Sink> sink;
  if (g_settings.buffered) {
    sink = std::make_unique<BufferedFileSink>(std::move(fd));
  } else {
    sink = std::make_unique<MappedFileSink>(std::move(fd));
  }
  v8::V8::SetFlagsFromString(g_settings.v8_flags.c_str(), g_settings.v8_flags.size());
  Session::Settings recording = g_settings.recording;
  recording.destination = path;
  recording.metadata += std::to_string(NowMs()) + g_settings.metadata_rest;
  Session::Failure failure;
  if (!Session::Start(g_isolate, recording, std::move(sink), &failure)) {
    unlink(path.c_str());
    g_number = before;
    Fail("cannot write the capture " + path + ": " + failure.message + ".");
    return;
  }
  g_session = Session::last();
  g_state = State::kOpen;
  if (g_settings.js_heap_interval != 0) {
    std::string warning = JsHeap::Start(g_isolate, g_settings.js_heap_interval);
    if (!warning.empty()) Tracker::Get().RecordHeapPages();
  }
  Report("begun %u\n", g_number);
  Tell(false, "window " + std::to_string(g_number) + " has begun, in " + path);
}

// On the thread that has completed the capture, or on the main thread.
void OnEnded(bool complete) {
  Report("ended %u %d\n", g_number, complete ? 1 : 0);
  Tell(false, "window " + std::to_string(g_number) + " has ended, in " + PathOf(g_number));
}

void AfterEnding(void*) {
  Untracked untracked;
  if (g_state != State::kEnding) return;
  g_state = State::kIdle;
  if (std::exchange(g_again, false)) Begin();
}

void End() {
  if (g_session != Session::last()) {
    // A full disk ended it, and a tracker of the program's own came since.
    g_state = State::kIdle;
    OnEnded(false);
    return;
  }
  g_state = State::kEnding;
  Session::StopInBackground("stop", [](bool complete) {
    OnEnded(complete);
    OnMainThread(AfterEnding);
  });
}

void OnSignal(void*) {
  Untracked untracked;
  switch (g_state) {
    case State::kClosed: break;
    case State::kIdle: Begin(); break;
    case State::kOpen: End(); break;
    case State::kEnding: g_again = !g_again; break;
  }
}

}  // namespace

int Windows::Open(v8::Isolate* isolate, Settings settings) {
  Untracked untracked;
  g_settings = std::move(settings);
  g_isolate = isolate;
  g_owner_pid = getpid();
  if (g_settings.reports >= 0) {
    // Not for what the program starts in turn, and not in the way of what it opens.
    int own = fcntl(g_settings.reports, F_DUPFD_CLOEXEC, 0);
    close(std::exchange(g_settings.reports, own));
  }
  {
    v8::HandleScope handles(isolate);
    std::lock_guard lock(g_environment_mutex);
    g_environment = node::GetCurrentEnvironment(isolate->GetCurrentContext());
  }
  g_state = State::kIdle;
  if (!g_settings.paused) Begin();
  int error = 0;
  if (g_settings.signal != 0) error = NoticeSignal(g_settings.signal, [] { OnMainThread(OnSignal); });
  if (error == 0) {
    Report("ready\n");
  } else if (g_settings.reports >= 0) {
    close(std::exchange(g_settings.reports, -1));
  }
  return error;
}

void Windows::Close() {
  if (g_state == State::kClosed || g_owner_pid != getpid()) return;
  Untracked untracked;
  {
    std::lock_guard lock(g_environment_mutex);
    g_environment = nullptr;
  }
  State before = std::exchange(g_state, State::kClosed);
  if (before == State::kOpen && g_session == Session::last()) {
    OnEnded(Session::Stop("exit"));
  } else if (before == State::kEnding) {
    Session::MakeWay();
  }
}

}  // namespace heapray
