// The extension module heapray._agent: starts and stops the tracker for python/heapray.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>

#include "process/modules.h"
#include "process/parent_death.h"
#include "python/code_numbers.h"
#include "python/cpython.h"
#include "python/python_allocators.h"
#include "python/python_runtime.h"
#include "python/python_stack_source.h"
#include "record/client_listener.h"
#include "record/file_sinks.h"
#include "record/numbered_form.h"
#include "record/socket_sink.h"
#include "recording.h"

namespace heapray {
namespace {

constexpr char kListener[] = "heapray.listener";
constexpr char kNumberedForm[] = "heapray.numbered_form";

PythonStackSource& Stacks() {
  static auto* stacks = new PythonStackSource;
  return *stacks;
}

PythonRuntime& TheRuntime() {
  static auto* runtime = new PythonRuntime;
  return *runtime;
}

// A call into CPython that may run other threads, without the GIL.
class WithoutGil {
 public:
  WithoutGil() : thread_(PyEval_SaveThread()) {}
  ~WithoutGil() { PyEval_RestoreThread(thread_); }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  PyThreadState* thread_;
};

// What start() is told, a dict. A key that is missing has the type's zero. Where a value is of another type, an
// exception is set.
class Settings {
 public:
  explicit Settings(PyObject* dict) : dict_(dict) {}

  std::string Text(const char* key) const {
    PyObject* value = PyDict_GetItemString(dict_, key);
    if (value == nullptr || value == Py_None) return {};
    Py_ssize_t bytes = 0;
    const char* text = PyUnicode_AsUTF8AndSize(value, &bytes);
    return text == nullptr ? std::string() : std::string(text, static_cast<size_t>(bytes));
  }
  // As the system writes it.
  std::string Path(const char* key) const {
    PyObject* value = PyDict_GetItemString(dict_, key);
    PyObject* bytes = nullptr;
    if (value == nullptr || value == Py_None || PyUnicode_FSConverter(value, &bytes) == 0) return {};
    std::string path(PyBytes_AS_STRING(bytes), static_cast<size_t>(PyBytes_GET_SIZE(bytes)));
    Py_DECREF(bytes);
    return path;
  }
  bool Flag(const char* key) const {
    PyObject* value = PyDict_GetItemString(dict_, key);
    return value != nullptr && PyObject_IsTrue(value) == 1;
  }
  uint32_t Number(const char* key, uint32_t otherwise) const {
    PyObject* value = PyDict_GetItemString(dict_, key);
    return value == nullptr ? otherwise : static_cast<uint32_t>(PyLong_AsUnsignedLong(value));
  }
  ClientListener* Listener(const char* key) const {
    PyObject* value = PyDict_GetItemString(dict_, key);
    if (value == nullptr || value == Py_None) return nullptr;
    return static_cast<ClientListener*>(PyCapsule_GetPointer(value, kListener));
  }

 private:
  PyObject* dict_;
};

PyObject* SystemError(int error, const char* path) {
  errno = error;
  return PyErr_SetFromErrnoWithFilename(PyExc_OSError, path);
}

PyObject* ConnectionError(const ClientListener::Error& error) {
  PyErr_SetString(PyExc_OSError, error.message.c_str());
  return nullptr;
}

// start(settings): see python/heapray/_agent.pyi for the keys.
PyObject* Start(PyObject*, PyObject* argument) {
  if (!PyDict_Check(argument)) {
    PyErr_SetString(PyExc_TypeError, "start() takes a dict");
    return nullptr;
  }
  if (Tracker::Get().active()) {
    PyErr_SetString(PyExc_RuntimeError, "a tracker is active in this process");
    return nullptr;
  }
  Settings settings(argument);
  std::string path = settings.Path("path");
  Recording::Settings recording;
  recording.tracker.destination = settings.Text("destination");
  recording.tracker.metadata_json = settings.Text("metadata");
  recording.tracker.aggregate = settings.Flag("aggregate");
  recording.tracker.stacks = &Stacks();
  recording.tracker.runtime = &TheRuntime();
  recording.memory_interval_ms = settings.Number("memory_interval_ms", recording.memory_interval_ms);
  bool native = settings.Flag("native_traces");
  bool python_allocators = settings.Flag("trace_python_allocators");
  ClientListener* listener = settings.Listener("listener");
  if (PyErr_Occurred() != nullptr) return nullptr;

  Recording::MakeWay();
  Tracker::Get().PrepareFences();
  Stacks().Prepare(native);
  if (native) {
    Modules::Get().Refresh();
    recording.add_figures = [](MemoryFigures&) { Modules::Get().Refresh(); };
  }
  if (listener != nullptr) {
    recording.tracker.sink = std::make_unique<SocketSink>(listener->TakeClient());
  } else if (settings.Flag("discard")) {
    recording.tracker.sink = std::make_unique<BufferedFileSink>(OwnedFd(open("/dev/null", O_WRONLY | O_CLOEXEC)));
  } else {
    OwnedFd fd = OpenCaptureFile(path.c_str(), settings.Flag("overwrite"));
    if (fd.get() < 0) return SystemError(errno, path.c_str());
    if (settings.Flag("buffered")) {
      recording.tracker.sink = std::make_unique<BufferedFileSink>(std::move(fd));
    } else {
      recording.tracker.sink = std::make_unique<MappedFileSink>(std::move(fd));
    }
  }
  int error = 0;
  if (!Recording::Start(std::move(recording), &error)) {
    if (!path.empty()) unlink(path.c_str());
    return SystemError(error, path.c_str());
  }
  if (python_allocators) HookPythonAllocators();
  Py_RETURN_NONE;
}

// stop(reason): returns whether the capture is complete.
PyObject* Stop(PyObject*, PyObject* argument) {
  const char* reason = PyUnicode_AsUTF8(argument);
  if (reason == nullptr) return nullptr;
  bool complete;
  {
    WithoutGil without_gil;
    complete = Recording::Stop(reason);
  }
  // Only now: while other threads run and hooks are on, what they free would be missed.
  UnhookPythonAllocators();
  return PyBool_FromLong(complete ? 1 : 0);
}

PyObject* IsActive(PyObject*, PyObject*) { return PyBool_FromLong(Recording::active() ? 1 : 0); }

// listen(address, port): returns a listener, for accept() and start().
PyObject* Listen(PyObject*, PyObject* arguments) {
  const char* address = nullptr;
  unsigned short port = 0;
  if (PyArg_ParseTuple(arguments, "sH", &address, &port) == 0) return nullptr;
  auto listener = std::make_unique<ClientListener>();
  ClientListener::Error error;
  if (!listener->Open(address, port, false, &error)) return ConnectionError(error);
  return PyCapsule_New(listener.release(), kListener, [](PyObject* capsule) {
    delete static_cast<ClientListener*>(PyCapsule_GetPointer(capsule, kListener));
  });
}

ClientListener* ListenerOf(PyObject* capsule) {
  return static_cast<ClientListener*>(PyCapsule_GetPointer(capsule, kListener));
}

// accept(listener, milliseconds): returns whether a client has connected.
PyObject* Accept(PyObject*, PyObject* arguments) {
  PyObject* capsule = nullptr;
  int milliseconds = 0;
  if (PyArg_ParseTuple(arguments, "Oi", &capsule, &milliseconds) == 0) return nullptr;
  ClientListener* listener = ListenerOf(capsule);
  if (listener == nullptr) return nullptr;
  ClientListener::Error error;
  ClientListener::Outcome outcome;
  {
    WithoutGil without_gil;
    outcome = listener->Accept(milliseconds, &error);
  }
  if (outcome == ClientListener::Outcome::kConnected) Py_RETURN_TRUE;
  if (outcome != ClientListener::Outcome::kNobody) return ConnectionError(error);
  // Of Ctrl-C, for one.
  if (PyErr_CheckSignals() != 0) return nullptr;
  Py_RETURN_FALSE;
}

// close_listener(listener): ends the waiting, and the connection unless start() has it.
PyObject* CloseListener(PyObject*, PyObject* capsule) {
  ClientListener* listener = ListenerOf(capsule);
  if (listener == nullptr) return nullptr;
  listener->Close();
  Py_RETURN_NONE;
}

// name_thread(native_id, name): the thread is called so in the capture from now on.
PyObject* NameThread(PyObject*, PyObject* arguments) {
  unsigned int thread_id = 0;
  const char* name = nullptr;
  if (PyArg_ParseTuple(arguments, "Is", &thread_id, &name) == 0) return nullptr;
  Tracker::Get().NameThread(thread_id, name);
  Py_RETURN_NONE;
}

// end_with_parent(parent): the process is killed when its parent, of this id, ends. For the main thread.
PyObject* EndWithParentOf(PyObject*, PyObject* argument) {
  long parent = PyLong_AsLong(argument);
  if (parent == -1 && PyErr_Occurred() != nullptr) return nullptr;
  EndWithParent(static_cast<int>(parent));
  Py_RETURN_NONE;
}

// after_fork(): in a forked child, which has nothing to do with its parent's capture.
PyObject* AfterFork(PyObject*, PyObject*) {
  UnhookPythonAllocators();
  CodeNumbers::Get().Forget();
  Recording::Forget();
  Py_RETURN_NONE;
}

// numbered_form(file): the numbered form of the capture in a file, which stays the caller's; None where it has none.
PyObject* MakeNumberedForm(PyObject*, PyObject* argument) {
  int file = static_cast<int>(PyLong_AsLong(argument));
  if (file == -1 && PyErr_Occurred() != nullptr) return nullptr;
  auto form = std::make_unique<NumberedForm>(file);
  if (!form->Begin()) Py_RETURN_NONE;
  return PyCapsule_New(form.release(), kNumberedForm, [](PyObject* capsule) {
    delete static_cast<NumberedForm*>(PyCapsule_GetPointer(capsule, kNumberedForm));
  });
}

// next_piece(form, bytes): its next bytes, so many or a few more; none at its end.
PyObject* NextPiece(PyObject*, PyObject* arguments) {
  PyObject* capsule = nullptr;
  Py_ssize_t bytes = 0;
  if (PyArg_ParseTuple(arguments, "On", &capsule, &bytes) == 0) return nullptr;
  auto* form = static_cast<NumberedForm*>(PyCapsule_GetPointer(capsule, kNumberedForm));
  if (form == nullptr) return nullptr;
  PyObject* piece = PyBytes_FromStringAndSize(nullptr, bytes + static_cast<Py_ssize_t>(NumberedForm::kSlack));
  if (piece == nullptr) return nullptr;
  size_t length = 0;
  {
    WithoutGil without_gil;
    length = form->Next(reinterpret_cast<uint8_t*>(PyBytes_AS_STRING(piece)), static_cast<size_t>(bytes));
  }
  if (form->state() == NumberedForm::State::kMore || form->state() == NumberedForm::State::kEnd) {
    return _PyBytes_Resize(&piece, static_cast<Py_ssize_t>(length)) == 0 ? piece : nullptr;
  }
  Py_DECREF(piece);
  if (form->state() == NumberedForm::State::kNoMemory) return PyErr_NoMemory();
  if (form->state() == NumberedForm::State::kUnreadable) return PyErr_SetFromErrno(PyExc_OSError);
  PyErr_SetString(PyExc_ValueError, "the capture is damaged");
  return nullptr;
}

PyMethodDef kFunctions[] = {
    {"start", Start, METH_O, nullptr},
    {"stop", Stop, METH_O, nullptr},
    {"is_active", IsActive, METH_NOARGS, nullptr},
    {"listen", Listen, METH_VARARGS, nullptr},
    {"accept", Accept, METH_VARARGS, nullptr},
    {"close_listener", CloseListener, METH_O, nullptr},
    {"name_thread", NameThread, METH_VARARGS, nullptr},
    {"end_with_parent", EndWithParentOf, METH_O, nullptr},
    {"after_fork", AfterFork, METH_NOARGS, nullptr},
    {"numbered_form", MakeNumberedForm, METH_O, nullptr},
    {"next_piece", NextPiece, METH_VARARGS, nullptr},
    {nullptr, nullptr, 0, nullptr},
};

PyModuleDef kModule = {
    PyModuleDef_HEAD_INIT,
    "heapray._agent",
    "The tracker inside the process.",
    -1,
    kFunctions,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
};

}  // namespace
}  // namespace heapray

PyMODINIT_FUNC PyInit__agent() { return PyModule_Create(&heapray::kModule); }
