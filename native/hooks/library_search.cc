#include "hooks/library_search.h"

#include <dlfcn.h>
#include <link.h>
#include <unistd.h>

#include <memory>

#include "hooks/originals.h"

namespace heapray {
namespace {

link_map* ObjectOf(const void* address) {
  Dl_info info;
  link_map* object = nullptr;
  return dladdr1(address, &info, reinterpret_cast<void**>(&object), RTLD_DL_LINKMAP) != 0 ? object : nullptr;
}

std::string FolderOf(const char* path) {
  std::string folder = path;
  size_t slash = folder.rfind('/');
  return slash == folder.npos ? "" : folder.substr(0, slash);
}

std::string WithOrigin(std::string file, const std::string& origin) {
  for (const char* token : {"${ORIGIN}", "$ORIGIN"}) {
    for (size_t at; (at = file.find(token)) != file.npos;) file.replace(at, std::string_view(token).size(), origin);
  }
  return file;
}

bool IsLoaded(const char* file, int mode) {
  void* handle = Originals::Get().dlopen(file, (mode & (RTLD_LAZY | RTLD_NOW)) | RTLD_NOLOAD);
  if (handle != nullptr) Originals::Get().dlclose(handle);
  return handle != nullptr;
}

// The first file of that name in the folders that the object searches.
std::string InFoldersOf(link_map* object, const std::string& file) {
  Dl_serinfo sizes;
  if (dlinfo(object, RTLD_DI_SERINFOSIZE, &sizes) != 0) return {};
  auto room = std::make_unique<char[]>(sizes.dls_size);
  auto* folders = reinterpret_cast<Dl_serinfo*>(room.get());
  folders->dls_size = sizes.dls_size;
  folders->dls_cnt = sizes.dls_cnt;
  if (dlinfo(object, RTLD_DI_SERINFO, folders) != 0) return {};
  for (unsigned i = 0; i < folders->dls_cnt; i++) {
    std::string path = std::string(folders->dls_serpath[i].dls_name) + "/" + file;
    if (access(path.c_str(), R_OK) == 0) return path;
  }
  return {};
}

}  // namespace

std::string FindLibrary(const char* file, int mode, const void* caller) {
  std::string name = file;
  bool has_token = name.find('$') != name.npos;
  bool is_path = name.find('/') != name.npos;
  if (name.empty() || (is_path && !has_token)) return name;
  link_map* object = ObjectOf(caller);
  if (object == nullptr || object->l_name == nullptr || object->l_name[0] == 0) return name;
  if (is_path) return WithOrigin(name, FolderOf(object->l_name));
  if (IsLoaded(file, mode)) return name;
  std::string found = InFoldersOf(object, name);
  return found.empty() ? name : found;
}

}  // namespace heapray
