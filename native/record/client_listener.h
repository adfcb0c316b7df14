// Waits for the one client that a capture is sent to.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "process/owned_fd.h"
#include "process/signal_watch.h"

namespace heapray {

class ClientListener {
 public:
  // What went wrong: the name of an errno or of an EAI_ code, and the system's words for it.
  struct Error {
    std::string code;
    std::string message;
  };

  enum class Outcome { kConnected, kNobody, kInterrupted, kFailed };

  // Listens. Where its thread will be `blocked` until there is a client, signals end the waiting: see Accept(). Returns
  // false where listening is not possible.
  bool Open(const std::string& address, uint16_t port, bool blocked, Error* error);
  // Waits so long for a client. Nobody else can connect after the first one. Interrupted, once a signal has come that
  // would end the process were it not for the program's own handler: `error` names it. Any outcome but kNobody ends the
  // waiting.
  Outcome Accept(int milliseconds, Error* error);
  // Ends the waiting, and the connection unless it was taken.
  void Close();
  // The connection that was accepted.
  OwnedFd TakeClient() { return std::move(client_); }

 private:
  Outcome Wait(int milliseconds, Error* error);
  Outcome Fail(int failed, Error* error);

  OwnedFd listener_;
  OwnedFd client_;
  std::optional<SignalWatch> signals_;
};

}  // namespace heapray
