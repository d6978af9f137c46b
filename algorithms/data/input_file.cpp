#include "algorithms/data/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "sim/core/error.h"

namespace fs = std::filesystem;

namespace skiff {

// Gives decoded bytes; fewer than asked only at the end. Throws DataError at `offset`.
class InputFile::Decoder {
 public:
  virtual ~Decoder() = default;
  virtual std::size_t read(char* out, std::size_t n, std::int64_t offset) = 0;
  std::int64_t most = 0;
  bool plain = false;
};

namespace {

class PlainFile final : public InputFile::Decoder {
 public:
  PlainFile(const std::string& path, std::int64_t size)
      : path_(path), file_(std::fopen(path.c_str(), "rb")) {
    if (file_ == nullptr) throw DataError(path, std::strerror(errno));
    most = size;
    plain = true;
  }
  ~PlainFile() override { std::fclose(file_); }
  std::size_t read(char* out, std::size_t n, std::int64_t offset) override {
    const std::size_t got = std::fread(out, 1, n, file_);
    if (got < n && std::ferror(file_) != 0) throw DataError(path_, offset, std::strerror(errno));
    return got;
  }

 private:
  std::string path_;
  std::FILE* file_;
};

class GzipFile final : public InputFile::Decoder {
 public:
  GzipFile(const std::string& path, std::int64_t size)
      : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (file_ == nullptr) throw DataError(path, std::strerror(errno));
    gzbuffer(file_, 1 << 17);
    most = size * 1032;  // deflate's greatest ratio
  }
  ~GzipFile() override { gzclose(file_); }
  std::size_t read(char* out, std::size_t n, std::int64_t offset) override {
    std::size_t got = 0;
    while (got < n) {
      const auto ask = static_cast<unsigned>(std::min<std::size_t>(n - got, 1u << 30));
      const int count = gzread(file_, out + got, ask);
      int status = Z_OK;
      const char* reason = gzerror(file_, &status);
      const std::int64_t at = offset + static_cast<std::int64_t>(got) + std::max(count, 0);
      if (status == Z_BUF_ERROR) throw DataError(path_, at, "the gzip stream is cut short");
      if (count < 0) throw DataError(path_, at, fmt::format("bad gzip stream: {}", reason));
      if (gzdirect(file_) != 0) throw DataError(path_, 0, "not a gzip file, despite its name");
      if (count == 0) break;
      got += static_cast<std::size_t>(count);
    }
    return got;
  }

 private:
  std::string path_;
  gzFile file_;
};

// xz is no library of ours: the program decompresses into a pipe.
class XzPipe final : public InputFile::Decoder {
 public:
  XzPipe(const std::string& path, std::int64_t size) : path_(path) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw DataError(path, std::strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::string words[] = {"xz", "-dc", "--", path};
    char* const arguments[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(),
                               nullptr};
    const int failure = posix_spawnp(&child_, "xz", &actions, nullptr, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (failure != 0) {
      close(ends[0]);
      throw DataError(path,
                      "is compressed with xz, and the program xz is not installed; run: "
                      "apt install xz-utils, or decompress it elsewhere: xz -dk FILE");
    }
    input_ = ends[0];
    most = size * 10'000;  // more than LZMA's greatest ratio
  }
  ~XzPipe() override {
    close(input_);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  std::size_t read(char* out, std::size_t n, std::int64_t offset) override {
    std::size_t got = 0;
    while (got < n) {
      const ssize_t count = ::read(input_, out + got, n - got);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) break;
      got += static_cast<std::size_t>(count);
    }
    if (got < n) finish(offset + static_cast<std::int64_t>(got));
    return got;
  }

 private:
  void finish(std::int64_t offset) {
    if (child_ <= 0) return;
    int status = 0;
    waitpid(child_, &status, 0);
    child_ = 0;
    if (status != 0) {
      throw DataError(path_, offset, "xz could not decompress it: the stream is corrupt or cut");
    }
  }

  std::string path_;
  pid_t child_ = 0;
  int input_ = -1;
};

std::unique_ptr<InputFile::Decoder> open_file(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) {
    throw DataError(path, fs::exists(path) ? "is not a file" : "not found");
  }
  const auto size = static_cast<std::int64_t>(fs::file_size(path));
  if (path.ends_with(".gz")) return std::make_unique<GzipFile>(path, size);
  if (path.ends_with(".xz")) return std::make_unique<XzPipe>(path, size);
  return std::make_unique<PlainFile>(path, size);
}

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)), decoder_(open_file(path_)) {}
InputFile::~InputFile() = default;

std::int64_t InputFile::most_bytes() const { return decoder_->most; }
bool InputFile::plain() const { return decoder_->plain; }

std::size_t InputFile::read(void* out, std::size_t n) {
  const std::size_t got = decoder_->read(static_cast<char*>(out), n, offset_);
  offset_ += static_cast<std::int64_t>(got);
  return got;
}

void InputFile::read_exactly(void* out, std::size_t n, std::string_view what) {
  const std::int64_t start = offset_;
  const std::size_t got = read(out, n);
  if (got == n) return;
  throw DataError(
      path_, offset_,
      fmt::format("the file ends here; expected {} bytes of {} from byte {}", n, what, start));
}

void InputFile::expect_end() {
  char byte = 0;
  const std::int64_t at = offset_;
  if (read(&byte, 1) != 0) throw DataError(path_, at, "expected the end of the file, found more");
}

void InputFile::require(std::uint64_t n, const std::string& what) {
  const auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(most_bytes() - offset_, 0));
  if (n <= left) return;
  throw DataError(path_, offset_,
                  fmt::format("the header promises {} ({} bytes), but {} {} bytes can follow", what,
                              n, plain() ? "only" : "at most", left));
}

LineReader::LineReader(std::string path) : file_(std::move(path)), buffer_(1 << 20) {}

bool LineReader::next(std::string_view& line) {
  for (std::size_t searched = 0;;) {
    const char* start = buffer_.data() + begin_;
    const void* found = std::memchr(start + searched, '\n', end_ - begin_ - searched);
    const std::size_t length =
        found != nullptr ? static_cast<std::size_t>(static_cast<const char*>(found) - start)
                         : end_ - begin_;
    if (found != nullptr || (ended_ && length > 0)) {
      line = std::string_view(start, length);
      if (line.ends_with('\r')) line.remove_suffix(1);
      begin_ += length + (found != nullptr ? 1 : 0);
      ++number_;
      return true;
    }
    if (ended_) return false;
    searched = length;
    std::memmove(buffer_.data(), start, length);
    begin_ = 0;
    end_ = length;
    if (end_ == buffer_.size()) buffer_.resize(buffer_.size() * 2);
    const std::size_t room = buffer_.size() - end_;
    const std::size_t got = file_.read(buffer_.data() + end_, room);
    end_ += got;
    ended_ = got < room;
  }
}

void LineReader::fail(const std::string& message) const {
  throw DataError(fmt::format("{}:{}", path(), number_), message);
}

std::string find_encoded(const std::string& folder, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    for (const char* suffix : {"", ".gz", ".xz"}) {
      const fs::path path = fs::path(folder) / (name + suffix);
      if (fs::is_regular_file(path)) return path.string();
    }
  }
  return "";
}

namespace {
std::string only_match(const fs::path& folder, const std::string& beginning) {
  std::vector<std::string> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(beginning)) {
      found.push_back(entry.path().string());
    }
  }
  std::sort(found.begin(), found.end());
  if (found.size() > 1) {
    throw DataError((folder / beginning).string(),
                    fmt::format("two files begin so, {} and {}; give one", found[0], found[1]));
  }
  return found.empty() ? "" : found.front();
}
}  // namespace

FilePair resolve_stem(const std::string& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return {path, ""};
  const fs::path stem(path);
  const fs::path folder = stem.has_parent_path() ? stem.parent_path() : fs::path(".");
  const std::string name = stem.filename().string();
  FilePair pair{only_match(folder, name + "_train"), only_match(folder, name + "_test")};
  if (pair.train.empty()) {
    throw DataError(path, fmt::format("expected a file, or a stem of {}_train*", name));
  }
  return pair;
}

}  // namespace skiff
