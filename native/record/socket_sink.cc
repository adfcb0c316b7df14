#include "record/socket_sink.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

#include "process/clock.h"
#include "process/own_thread.h"
#include "process/untracked.h"
#include "record/wire.h"

namespace heapray {
namespace {

// A power of two, and room for the longest record while as much is on its way.
constexpr size_t kRing = 32u << 20;
static_assert(kRing >= 2 * wire::kMaxStringBytes);
// The writer looks this often whether the client is still there.
constexpr size_t kStep = 1u << 20;
constexpr size_t kMostAtOnce = 1u << 20;
// A record waits no longer than this while the sending thread has nothing to do.
constexpr int kIdleMs = 10;
// At the end, a client that takes nothing for so long is given up, and so is one that takes longer in all.
constexpr int64_t kStalledMs = 2000;
constexpr int64_t kLongestMs = 10'000;
constexpr useconds_t kDoneStepUs = 500;

}  // namespace

SocketSink::SocketSink(OwnedFd client) : client_(std::move(client)), owner_(getpid()) {
  if (!MapRing() || !StartThread()) error_ = errno;
}

SocketSink::~SocketSink() {
  abandoned_.store(true, std::memory_order_release);
  if (InOwner()) Join();
  if (ring_ != nullptr) munmap(ring_, 2 * kRing);
}

bool SocketSink::MapRing() {
  OwnedFd memory(memfd_create("heapray", MFD_CLOEXEC));
  if (memory.get() < 0 || ftruncate(memory.get(), kRing) != 0) return false;
  void* room = mmap(nullptr, 2 * kRing, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) return false;
  ring_ = static_cast<uint8_t*>(room);
  for (uint8_t* half : {ring_, ring_ + kRing}) {
    if (mmap(half, kRing, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, memory.get(), 0) == MAP_FAILED) return false;
  }
  cursor_ = limit_ = ring_;
  return true;
}

bool SocketSink::StartThread() {
  running_ = StartOwnThread(
      &thread_,
      [](void* sink) -> void* {
        Untracked untracked;
        pthread_setname_np(pthread_self(), "heapray");
        static_cast<SocketSink*>(sink)->Run();
        static_cast<SocketSink*>(sink)->done_.store(true, std::memory_order_release);
        return nullptr;
      },
      this);
  return running_;
}

size_t SocketSink::Waiting() const {
  auto written = static_cast<size_t>(cursor_.load(std::memory_order_acquire) - ring_);
  return (written - sent_.load(std::memory_order_acquire)) & (kRing - 1);
}

bool SocketSink::Failed() {
  if (error_ == 0) error_ = send_error_.load(std::memory_order_acquire);
  if (error_ != 0) limit_ = cursor_;
  return error_ != 0;
}

bool SocketSink::Grow(size_t bytes) {
  if (Failed()) return false;
  uint8_t* cursor = cursor_.load(std::memory_order_relaxed);
  if (cursor >= ring_ + kRing) {
    cursor -= kRing;
    cursor_.store(cursor, std::memory_order_release);
  }
  // A full ring would look like an empty one.
  size_t free = kRing - 1 - Waiting();
  if (free < bytes) {
    error_ = ENOBUFS;
    limit_ = cursor;
    return false;
  }
  limit_ = cursor + std::min(free, std::max(bytes, kStep));
  return true;
}

void SocketSink::Run() {
  int64_t closing_since = 0;
  int64_t last_progress = 0;
  while (!abandoned_.load(std::memory_order_acquire)) {
    // Asked first: what is committed before closing is seen after it.
    bool closing = closing_.load(std::memory_order_acquire);
    if (closing && closing_since == 0) closing_since = last_progress = MonotonicMs();
    size_t waiting = Waiting();
    if (waiting == 0) {
      if (closing) return;
      WaitFor(0);
    } else if (SendSome(waiting)) {
      if (closing) last_progress = MonotonicMs();
    } else if (send_error_.load(std::memory_order_relaxed) != 0) {
      return;
    } else {
      WaitFor(POLLOUT);
    }
    if (!closing) continue;
    int64_t now = MonotonicMs();
    if (now - last_progress > kStalledMs || now - closing_since > kLongestMs) {
      send_error_.store(ENOBUFS, std::memory_order_release);
      return;
    }
  }
}

// Returns false where the connection takes nothing now, or nothing ever again.
bool SocketSink::SendSome(size_t waiting) {
  size_t sent = sent_.load(std::memory_order_relaxed);
  ssize_t bytes = send(client_.get(), ring_ + sent, std::min(waiting, kMostAtOnce), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (bytes < 0) {
    if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) send_error_.store(errno, std::memory_order_release);
    return false;
  }
  sent_.store((sent + static_cast<size_t>(bytes)) & (kRing - 1), std::memory_order_release);
  return true;
}

void SocketSink::WaitFor(short events) {
  if (client_writes_) events |= POLLIN;
  pollfd client{client_.get(), events, 0};
  if (poll(&client, 1, kIdleMs) <= 0) return;
  // Were it left unread, closing the connection would throw away what the client has not read either.
  if ((client.revents & POLLIN) != 0) {
    char ignored[4096];
    client_writes_ = recv(client_.get(), ignored, sizeof ignored, MSG_DONTWAIT) != 0;
  }
  if ((client.revents & (POLLERR | POLLHUP)) == 0) return;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(client_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  send_error_.store(error == 0 ? EPIPE : error, std::memory_order_release);
  abandoned_.store(true, std::memory_order_release);
}

bool SocketSink::Close() {
  if (!InOwner()) return false;
  if (Failed()) {
    // Inside somebody's malloc, maybe: the thread ends by itself.
    abandoned_.store(true, std::memory_order_release);
    shutdown(client_.get(), SHUT_RDWR);
    return false;
  }
  closing_.store(true, std::memory_order_release);
  // Not pthread_join: this may be a process that crashed while it held any of the C library's locks.
  while (!done_.load(std::memory_order_acquire)) usleep(kDoneStepUs);
  shutdown(client_.get(), SHUT_WR);
  return !Failed();
}

void SocketSink::Join() {
  if (running_) pthread_join(thread_, nullptr);
  running_ = false;
}

void SocketSink::Explain(const char* destination, char* text, size_t bytes) const {
  if (error_ == ENOBUFS) {
    snprintf(text, bytes, "the client at %s reads too slowly", destination);
  } else if (error_ == EPIPE || error_ == ECONNRESET) {
    snprintf(text, bytes, "the client at %s closed the connection", destination);
  } else {
    snprintf(text, bytes, "cannot send to the client at %s: %s", destination, Reason());
  }
}

}  // namespace heapray
