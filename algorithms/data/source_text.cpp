// Plain text: a file, a folder or a .zip of files, or a stem of STEM_train* and STEM_test*; .gz and
// .xz too.
//
// Natural clients: the files of a folder (a client is named as its file without ending); the
// authors of such files, "Truman" of speeches/1945-Truman.txt and of speeches/1946-Truman-2.txt:
// the first part between dashes that is no number; or the speakers of a play: blocks between blank
// lines whose first line ends with a colon, as in "ROMEO:\nIs the day so young?". A single file
// belongs to nobody: any other partition cuts it up. A file called README is no text of a folder.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "algorithms/data/input_file.h"
#include "algorithms/data/text_samples.h"
#include "algorithms/data/zip_file.h"
#include "sim/core/error.h"

namespace fs = std::filesystem;

namespace skiff {
namespace {
struct TextFileParams : TextParams {
  FilePath path;
  std::string separator;
  std::string users = "files";
};
}  // namespace

template <>
Schema<TextFileParams> schema() {
  using P = TextFileParams;
  Schema<P> s;
  s.field("path", &P::path, "the file, a folder or .zip of files, or a stem of _train and _test")
      .required("by text: a file, a folder, a .zip, or the stem of _train and _test");
  s.field("separator", &P::separator,
          "what stands between two texts of a file, such as \"<|endoftext|>\"; without: one text");
  s.field(
       "users", &P::users,
       "natural clients: files of a folder, their authors (1945-Truman.txt), or speakers of a play")
      .one_of({"files", "authors", "speakers"});
  add_text_fields(s, true);
  return s;
}

namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 34;

std::string read_text(const std::string& path) {
  InputFile file(path);
  std::string text;
  for (std::string part(1 << 20, '\0');;) {
    const std::size_t got = file.read(part.data(), part.size());
    text.append(part, 0, got);
    if (file.offset() > kMostBytes) throw DataError(path, "is longer than 16 GiB of text");
    if (got < part.size()) return text;
  }
}

bool is_text(const fs::path& file) {
  const std::string name = file.filename().string();
  return !name.starts_with(".") && !name.starts_with("README");
}

// Every file below the folder, by name.
std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && is_text(entry.path())) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) throw DataError(folder, "holds no files");
  return files;
}

// "Truman" of "speeches/1945-Truman-2.txt"; the file's name where every part is a number.
std::string author_of(const fs::path& file) {
  const std::string name = file.stem().string();
  std::stringstream parts(name);
  for (std::string part; std::getline(parts, part, '-');) {
    if (part.find_first_not_of("0123456789") != std::string::npos) return part;
  }
  return name;
}

class Texts final : public DataSource {
 public:
  explicit Texts(const TextFileParams& params) : params_(params) {}

  LoadedData load(const DataOptions&, std::uint64_t seed) const override {
    const std::string& path = params_.path.path;
    TextCollector texts;
    std::error_code error;
    if (fs::is_directory(path, error)) {
      for (const std::string& file : files_below(path)) {
        add(read_text(file), owner_of(fs::relative(file, path)), texts);
      }
    } else if (path.ends_with(".zip")) {
      for (const ZipEntry& entry : read_zip(path)) {
        if (is_text(entry.name)) add(entry.bytes, owner_of(entry.name), texts);
      }
    } else {
      const FilePair files = resolve_stem(path);
      add(read_text(files.train), "", texts);
      if (!files.test.empty()) {
        texts.begin_test();
        add(read_text(files.test), "", texts);
      }
    }
    if (texts.empty()) {
      throw DataError(path, params_.users == "speakers"
                                ? "has no speeches: blocks between blank lines that open with NAME:"
                                : "has no text");
    }
    return text_samples(path, texts.done(), params_, seed);
  }

 private:
  std::string owner_of(fs::path file) const {
    return params_.users == "authors" ? author_of(file) : file.replace_extension().string();
  }

  void add(const std::string& text, const std::string& file, TextCollector& texts) const {
    if (params_.users == "speakers") return add_speeches(text, texts);
    for (std::string& piece : split_texts(text, params_.separator)) {
      if (file.empty()) {
        texts.add(std::move(piece));
      } else {
        texts.add(file, std::move(piece));
      }
    }
  }

  static void add_speeches(const std::string& text, TextCollector& texts) {
    for (const std::string& block : split_texts(text, "\n\n")) {
      const std::size_t line = block.find('\n');
      if (line == std::string::npos || line == 0 || block[line - 1] != ':') continue;
      texts.add(block.substr(0, line - 1), block.substr(line + 1));
    }
  }

  TextFileParams params_;
};

SKIFF_REGISTER(DataSource, Texts, TextFileParams,
               {.name = "text",
                .summary = "plain text files; natural clients by file, author or speaker",
                .paper = "baseline",
                .verified = "299 speakers, 7,097 speeches and 1,020,755 characters of "
                            "tinyshakespeare; 11 authors of the State of the Union addresses; "
                            "every token a target once"});

}  // namespace
}  // namespace skiff
