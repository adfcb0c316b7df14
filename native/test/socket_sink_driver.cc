// Drives a SocketSink with a client at the other end of a socket:
//   reads     it reads all, with pauses, many times the ring: every byte must come, in order
//   stalls    it never reads, and the ring fills up
//   late      it never reads, and the sink is closed with something left to send
//   leaves    it closes its end
//   forked    a child ends, and has taken apart its copy of the sink, while the client reads
// Prints what the client read, whether the sink failed and why, whether it closed well, and how long that took.
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstring>
#include <new>
#include <random>
#include <string>
#include <thread>

#include "process/clock.h"
#include "record/socket_sink.h"

namespace {

using heapray::OwnedFd;
using heapray::SocketSink;

constexpr uint64_t kMany = 300u << 20;
constexpr uint64_t kWaiting = 12u << 20;

uint8_t ByteAt(uint64_t position) { return static_cast<uint8_t>(position * 7 + (position >> 13)); }

// Reads to the end, and counts the bytes that are the right ones.
void ReadAll(int client, std::atomic<uint64_t>& right) {
  std::string room(1 << 20, '\0');
  uint64_t position = 0;
  for (;;) {
    ssize_t bytes = read(client, room.data(), room.size());
    if (bytes <= 0) return;
    for (ssize_t i = 0; i < bytes; i++) {
      if (static_cast<uint8_t>(room[static_cast<size_t>(i)]) != ByteAt(position++)) return;
    }
    right = position;
    if ((position >> 20) % 17 == 0) usleep(2000);
  }
}

// Writes records of all sizes until there are so many bytes, or the sink fails. Returns how many there are.
uint64_t Write(SocketSink& sink, uint64_t until, const std::atomic<uint64_t>* read) {
  std::mt19937 random(1);
  uint64_t position = 0;
  while (position < until) {
    size_t size = 1 + random() % 60;
    if (random() % 1000 == 0) size = random() % (1 << 18);
    if (random() % 100'000 == 0) size = 16u << 20;
    // The client of a program that is slower than this one.
    while (read != nullptr && position - *read > kWaiting) usleep(100);
    uint8_t* room = sink.Reserve(size);
    if (room == nullptr) break;
    for (size_t i = 0; i < size; i++) room[i] = ByteAt(position + i);
    sink.Commit(size);
    position += size;
  }
  return position;
}

}  // namespace

int main(int, char** arguments) {
  std::string what = arguments[1];
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 1;
  SocketSink sink{OwnedFd(ends[0])};
  std::atomic<uint64_t> read{0};
  std::thread reader;
  if (what == "reads" || what == "forked") reader = std::thread([&] { ReadAll(ends[1], read); });

  uint64_t written = 0;
  if (what == "reads") {
    written = Write(sink, kMany, &read);
  } else if (what == "forked") {
    if (fork() == 0) {
      sink.Close();
      sink.~SocketSink();
      _exit(0);
    }
    int status = 0;
    wait(&status);
    written = Write(sink, 1u << 20, &read);
  } else if (what == "stalls") {
    written = Write(sink, kMany, nullptr);
  } else if (what == "late") {
    written = Write(sink, 1u << 20, nullptr);
  } else if (what == "leaves") {
    close(ends[1]);
    written = Write(sink, 1, nullptr);
    for (int i = 0; i < 1000 && sink.error() == 0; i++) {
      usleep(1000);
      sink.Flush();
    }
  }
  int error = sink.error();
  char reason[200] = "nothing";
  if (error != 0) sink.Explain("here", reason, sizeof reason);
  int64_t start = heapray::MonotonicMs();
  bool closed = sink.Close();
  int64_t took = heapray::MonotonicMs() - start;
  if (reader.joinable()) reader.join();
  printf("written %llu read %llu closed %d took %lld failed: %s\n", static_cast<unsigned long long>(written),
         static_cast<unsigned long long>(read.load()), closed, static_cast<long long>(took), reason);
  return 0;
}
