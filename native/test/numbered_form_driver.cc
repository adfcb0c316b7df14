// Writes the numbered form of a capture to standard output, made in pieces of so many bytes:
//   numbered_form_driver <capture> <bytes>
// Exits with 2 where it is damaged, with 3 where it has none.
#include <fcntl.h>

#include <cstdio>
#include <cstdlib>
#include <vector>

#include "process/owned_fd.h"
#include "record/numbered_form.h"

int main(int argc, char** argv) {
  if (argc != 3) return 1;
  heapray::OwnedFd file(open(argv[1], O_RDONLY | O_CLOEXEC));
  heapray::NumberedForm form(file.get());
  if (!form.Begin()) return 3;
  auto room = static_cast<size_t>(atoi(argv[2]));
  std::vector<uint8_t> piece(room + heapray::NumberedForm::kSlack);
  while (size_t length = form.Next(piece.data(), room)) fwrite(piece.data(), 1, length, stdout);
  switch (form.state()) {
    case heapray::NumberedForm::State::kEnd: return 0;
    case heapray::NumberedForm::State::kDamaged: return 2;
    default: return 1;
  }
}
