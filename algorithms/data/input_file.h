// The bytes of a data file, in order: plain, .gz (zlib) or .xz (through the program xz).
//
// Offsets are those of the decoded bytes. Errors are DataError: a file that cannot be opened, a
// compressed stream that is corrupt or cut short, an end that comes too early. One reader, one
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace skiff {

class InputFile {
 public:
  explicit InputFile(std::string path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::string& path() const { return path_; }
  std::int64_t offset() const { return offset_; }
  // No file of this size on disk decodes to more bytes: a header that promises more lies.
  std::int64_t most_bytes() const;
  // Whether most_bytes() is the exact size.
  bool plain() const;

  // Up to n bytes; fewer only at the end.
  std::size_t read(void* out, std::size_t n);
  // n bytes; `what` they are is said when the file ends before.
  void read_exactly(void* out, std::size_t n, std::string_view what);
  void expect_end();
  // Throws unless `n` more bytes of `what` can follow; call it before allocating for them.
  void require(std::uint64_t n, const std::string& what);

  class Decoder;

 private:
  std::string path_;
  std::unique_ptr<Decoder> decoder_;
  std::int64_t offset_ = 0;
};

// Lines of a text file without their ends ("\n" or "\r\n"), numbered from 1.
class LineReader {
 public:
  explicit LineReader(std::string path);
  bool next(std::string_view& line);  // valid until the next call
  int number() const { return number_; }
  const std::string& path() const { return file_.path(); }
  // "a9a.txt:17: message"
  [[noreturn]] void fail(const std::string& message) const;

 private:
  InputFile file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;
  int number_ = 0;
  bool ended_ = false;
};

// The first existing of folder/name, .gz and .xz of it, for each name in order; "" if none.
std::string find_encoded(const std::string& folder, const std::vector<std::string>& names);

// What `data.path` may be: a file, or a stem of which STEM_train* and perhaps STEM_test* exist.
struct FilePair {
  std::string train;
  std::string test;  // "" if there is none
};
FilePair resolve_stem(const std::string& path);

}  // namespace skiff
