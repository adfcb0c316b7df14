#include "record/client_listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace heapray {
namespace {

ClientListener::Error SystemError(int failed) { return {strerrorname_np(failed), strerror(failed)}; }

ClientListener::Error AddressError(int failed) {
  if (failed == EAI_SYSTEM) return SystemError(errno);
  return {failed == EAI_NONAME ? "EAI_NONAME" : "EAI_FAIL", gai_strerror(failed)};
}

OwnedFd ListenOn(const addrinfo& address) {
  OwnedFd fd(socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  // Connections of an earlier run that the system has not forgotten yet do not count.
  int yes = 1;
  if (fd.get() < 0 || setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      bind(fd.get(), address.ai_addr, address.ai_addrlen) != 0 || listen(fd.get(), 1) != 0) {
    return OwnedFd();
  }
  return fd;
}

}  // namespace

bool ClientListener::Open(const std::string& address, uint16_t port, bool blocked, Error* error) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* first = nullptr;
  if (int failed = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &first); failed != 0) {
    *error = AddressError(failed);
    return false;
  }
  std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(first, freeaddrinfo);
  int failed = EADDRNOTAVAIL;
  for (const addrinfo* one = found.get(); one != nullptr && listener_.get() < 0; one = one->ai_next) {
    listener_ = ListenOn(*one);
    failed = errno;
  }
  if (listener_.get() >= 0) {
    if (blocked) signals_.emplace();
    return true;
  }
  *error = SystemError(failed);
  return false;
}

ClientListener::Outcome ClientListener::Accept(int milliseconds, Error* error) {
  Outcome outcome = Wait(milliseconds, error);
  if (outcome != Outcome::kNobody) {
    listener_.Close();
    signals_.reset();
  }
  return outcome;
}

void ClientListener::Close() {
  listener_.Close();
  client_.Close();
  signals_.reset();
}

ClientListener::Outcome ClientListener::Wait(int milliseconds, Error* error) {
  pollfd listener{listener_.get(), POLLIN, 0};
  int ready = poll(&listener, 1, milliseconds);
  int failed = errno;
  if (int signal = signals_ ? signals_->caught() : 0; signal != 0) {
    *error = {std::string("SIG") + sigabbrev_np(signal), "interrupted"};
    return Outcome::kInterrupted;
  }
  if (ready < 0) return failed == EINTR ? Outcome::kNobody : Fail(failed, error);
  if (ready == 0) return Outcome::kNobody;
  OwnedFd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
  if (client.get() < 0) {
    // It may have gone again.
    bool passing = errno == EINTR || errno == EAGAIN || errno == ECONNABORTED || errno == EPROTO;
    return passing ? Outcome::kNobody : Fail(errno, error);
  }
  // What the sender has is sent, however little.
  int yes = 1;
  setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  client_ = std::move(client);
  return Outcome::kConnected;
}

ClientListener::Outcome ClientListener::Fail(int failed, Error* error) {
  *error = SystemError(failed);
  return Outcome::kFailed;
}

}  // namespace heapray
