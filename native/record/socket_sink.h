// Sends a capture to one client.
#pragma once

#include <pthread.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>

#include "process/held_fd.h"
#include "process/owned_fd.h"
#include "record/sink.h"

namespace heapray {

// A ring of memory that the tracker fills, and a thread that sends what is in it. The writer never waits and makes no
// system call: where the ring is full, because the client reads too slowly, the sink has failed.
class SocketSink final : public Sink {
 public:
  // `client`: a connected stream socket.
  explicit SocketSink(OwnedFd client);
  ~SocketSink() override;

  // Notices that the client is gone. What was committed is sent without being asked for.
  void Flush() override { Failed(); }
  // Sends the rest, as long as the client takes some of it now and then, and ends the connection. After a failure it
  // ends the connection and waits for nothing.
  bool Close() override;
  void Forget() override { client_.Close(); }
  void Explain(const char* destination, char* text, size_t bytes) const override;

 protected:
  bool Grow(size_t bytes) override;

 private:
  bool MapRing();
  bool StartThread();
  // A forked child has copies of the memory and of the descriptor, but neither the thread nor the connection.
  bool InOwner() const { return getpid() == owner_; }
  // Committed bytes that were not sent yet.
  size_t Waiting() const;
  // Whether the sink has failed, here or in the sending thread.
  bool Failed();
  void Run();
  bool SendSome(size_t waiting);
  void WaitFor(short events);
  void Join();

  HeldFd client_;
  pid_t owner_;
  // The ring's memory twice in a row, so that every record lies in one piece.
  uint8_t* ring_ = nullptr;
  pthread_t thread_{};
  bool running_ = false;
  // Of the ring: where the first byte lies that was not sent.
  std::atomic<size_t> sent_{0};
  // errno of the sending thread.
  std::atomic<int> send_error_{0};
  // Nothing more will be committed: send the rest, or leave it.
  std::atomic<bool> closing_{false};
  std::atomic<bool> abandoned_{false};
  // The sending thread does nothing more.
  std::atomic<bool> done_{false};
  bool client_writes_ = true;
};

}  // namespace heapray
