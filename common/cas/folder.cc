#include "common/cas/folder.h"

#include <algorithm>
#include <set>

#include "build/bazel/remote/execution/v2/remote_execution.pb.h"
#include "common/base/status_macros.h"
#include "common/cas/wire_digest.h"
#include "fmt/format.h"

namespace potok {

namespace {

namespace reapi = build::bazel::remote::execution::v2;

// The length of a well-formed UTF-8 character at `text[i]`, 0 if it is none (RFC 3629).
std::size_t CharacterAt(const std::string& text, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
  };
  const auto follows = [&](std::size_t k) { return (byte(k) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool overlong = first == 0xE0 && byte(1) < 0xA0;
    const bool surrogate = first == 0xED && byte(1) > 0x9F;
    return follows(1) && follows(2) && !overlong && !surrogate ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool overlong = first == 0xF0 && byte(1) < 0x90;
    const bool too_high = first == 0xF4 && byte(1) > 0x8F;
    return follows(1) && follows(2) && follows(3) && !overlong && !too_high ? 4 : 0;
  }
  return 0;
}

bool IsUtf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = CharacterAt(text, i);
    if (length == 0) return false;
    i += length;
  }
  return true;
}

// A name as it may be shown: control characters and foreign bytes made visible.
std::string Shown(const std::string& name) {
  std::string shown;
  for (const char c : name.substr(0, 100)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte >= 0x20 && byte < 0x7F ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return shown;
}

absl::Status AsDataLoss(const absl::Status& status) {
  if (status.ok()) return status;
  return absl::DataLossError(
      fmt::format("folder from the store: {}", std::string(status.message())));
}

absl::Status CheckNewName(const std::string& name, std::set<std::string>& names) {
  POTOK_RETURN_IF_ERROR(CheckName(name));
  if (names.insert(name).second) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("name '{}' occurs twice", Shown(name)));
}

absl::StatusOr<Folder> FolderOf(const reapi::Directory& wire, int depth) {
  Folder folder;
  std::set<std::string> names;
  for (const reapi::FileNode& file : wire.files()) {
    POTOK_RETURN_IF_ERROR(CheckNewName(file.name(), names));
    POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(file.digest()));
    folder.files.push_back({file.name(), digest, file.is_executable()});
  }
  for (const reapi::DirectoryNode& child : wire.directories()) {
    POTOK_RETURN_IF_ERROR(CheckNewName(child.name(), names));
    POTOK_ASSIGN_OR_RETURN(const Digest digest, FromWire(child.digest()));
    folder.folders.push_back({child.name(), digest});
  }
  for (const reapi::SymlinkNode& link : wire.symlinks()) {
    POTOK_RETURN_IF_ERROR(CheckNewName(link.name(), names));
    if (!LinkStaysInside(link.target(), depth)) {
      return absl::InvalidArgumentError(fmt::format(
          "link '{}' to '{}' leaves the folder", Shown(link.name()), Shown(link.target())));
    }
    folder.links.push_back({link.name(), link.target()});
  }
  return folder;
}

}  // namespace

std::string EncodeFolder(Folder folder) {
  const auto by_name = [](const auto& a, const auto& b) { return a.name < b.name; };
  std::ranges::sort(folder.files, by_name);
  std::ranges::sort(folder.folders, by_name);
  std::ranges::sort(folder.links, by_name);
  reapi::Directory wire;
  for (const FolderFile& file : folder.files) {
    reapi::FileNode& node = *wire.add_files();
    node.set_name(file.name);
    *node.mutable_digest() = ToWire(file.digest);
    node.set_is_executable(file.is_executable);
  }
  for (const FolderChild& child : folder.folders) {
    reapi::DirectoryNode& node = *wire.add_directories();
    node.set_name(child.name);
    *node.mutable_digest() = ToWire(child.digest);
  }
  for (const FolderLink& link : folder.links) {
    reapi::SymlinkNode& node = *wire.add_symlinks();
    node.set_name(link.name);
    node.set_target(link.target);
  }
  // Without maps and unknown fields, protobuf writes equal messages as equal bytes.
  return wire.SerializeAsString();
}

absl::StatusOr<Folder> DecodeFolder(const std::string& bytes, int depth) {
  reapi::Directory wire;
  if (!wire.ParseFromString(bytes)) {
    return absl::DataLossError("folder from the store: not a Directory message");
  }
  auto folder = FolderOf(wire, depth);
  if (!folder.ok()) return AsDataLoss(folder.status());
  return folder;
}

std::vector<FolderEntry> EntriesOf(const std::string& bytes) {
  std::vector<FolderEntry> entries;
  reapi::Directory wire;
  if (!wire.ParseFromString(bytes)) return entries;
  for (const reapi::FileNode& file : wire.files()) {
    if (const auto digest = FromWire(file.digest()); digest.ok()) entries.push_back({*digest});
  }
  for (const reapi::DirectoryNode& child : wire.directories()) {
    const auto digest = FromWire(child.digest());
    if (digest.ok()) entries.push_back({*digest, /*is_folder=*/true});
  }
  return entries;
}

absl::Status CheckName(const std::string& name) {
  if (name.empty() || name == "." || name == ".." || name.size() > 255 ||
      name.find('/') != std::string::npos || name.find('\0') != std::string::npos ||
      !IsUtf8(name)) {
    return absl::InvalidArgumentError(fmt::format(
        "'{}' cannot be the name of a file: 1 to 255 bytes of UTF-8 without '/'", Shown(name)));
  }
  return absl::OkStatus();
}

bool LinkStaysInside(const std::string& target, int depth) {
  if (target.empty() || target[0] == '/' || target.size() > 4095) return false;
  if (target.find('\0') != std::string::npos || !IsUtf8(target)) return false;
  int up = 0;
  bool went_down = false;
  for (std::size_t start = 0; start <= target.size();) {
    const std::size_t end = std::min(target.find('/', start), target.size());
    const std::string part = target.substr(start, end - start);
    start = end + 1;
    if (part.empty() || part == ".") continue;
    if (part != "..") went_down = true;
    if (part == ".." && (went_down || ++up > depth)) return false;
  }
  return true;
}

}  // namespace potok
