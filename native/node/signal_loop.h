// A signal that is noticed by a thread of heapray's own, whatever the main thread is busy with. The program does not
// see it: handlers of its own for that signal are called as ever, and it may take them away again.
#pragma once

namespace heapray {

// From now on `notice` is called, on that thread, each time this process gets the signal; its default action is no
// more. For one signal, once. Returns 0, or an errno.
int NoticeSignal(int signal, void (*notice)());

}  // namespace heapray
