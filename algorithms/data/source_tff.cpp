// TensorFlow Federated's HDF5 files (hdf5_client_data): /examples/<client id>/ with one data set a
// feature. EMNIST's layout is read: `pixels` float (n, height, width), 1.0 = background, and
// `label` integer (n). STEM stands for STEM_train.h5 and STEM_test.h5; a file alone has no test
// set. Or text, one string each: the `snippets` of Shakespeare, the `tokens` of Stack Overflow.
//
// HDF5 is called from one thread only.
#include <fmt/format.h>
#include <hdf5.h>

#include <cmath>

#include "algorithms/data/input_file.h"
#include "algorithms/data/text_samples.h"
#include "algorithms/data/users.h"

namespace skiff {
namespace {
struct TffParams : TextParams {
  FilePath path;
  std::optional<int> classes;
};
}  // namespace

template <>
Schema<TffParams> schema() {
  Schema<TffParams> s;
  s.field("path", &TffParams::path, "the .h5 file, or a stem of STEM_train.h5 and STEM_test.h5")
      .required("by tff: a file, or the stem of _train.h5 and _test.h5");
  s.field("classes", &TffParams::classes, "auto = the greatest label + 1")
      .in(2, 1e6)
      .or_word("auto");
  add_text_fields(s, false);
  return s;
}

namespace {

class Handle {
 public:
  Handle(hid_t id, herr_t (*close)(hid_t)) : id_(id), close_(close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  operator hid_t() const { return id_; }  // NOLINT: stands for the identifier
  bool ok() const { return id_ >= 0; }

 private:
  hid_t id_;
  herr_t (*close_)(hid_t);
};

// While alive, HDF5 prints nothing: what fails becomes a DataError.
class QuietErrors {
 public:
  QuietErrors() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~QuietErrors() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  QuietErrors(const QuietErrors&) = delete;
  QuietErrors& operator=(const QuietErrors&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

herr_t collect_name(hid_t, const char* name, const H5L_info_t*, void* out) {
  static_cast<std::vector<std::string>*>(out)->emplace_back(name);
  return 0;
}

std::vector<std::string> names_in(hid_t group) {  // sorted
  std::vector<std::string> names;
  H5Literate(group, H5_INDEX_NAME, H5_ITER_INC, nullptr, collect_name, &names);
  return names;
}

class TffFile {
 public:
  explicit TffFile(std::string path) : path_(std::move(path)), file_(open(path_), H5Fclose) {}

  // Of images into `users`; of text into `texts`, which is null where no tokenizer was given.
  void read(UserCollector& users, TextCollector* texts) const {
    const Handle examples(H5Gopen2(file_, "examples", H5P_DEFAULT), H5Gclose);
    if (!examples.ok()) throw DataError(path_, "has no group /examples; expected a TFF file");
    const std::vector<std::string> clients = names_in(examples);
    if (clients.empty()) throw DataError(path_, "/examples has no clients");
    for (const std::string& client : clients) {
      const Handle group(H5Gopen2(examples, client.c_str(), H5P_DEFAULT), H5Gclose);
      if (!group.ok()) throw DataError(path_, fmt::format("/examples/{} is no group", client));
      read_client(group, client, users, texts);
    }
  }

 private:
  static hid_t open(const std::string& path) {
    const InputFile readable(path);  // says what is wrong with the path itself
    if (H5Fis_hdf5(path.c_str()) <= 0) {
      throw DataError(path, 0, "expected an HDF5 file, found no signature of one");
    }
    const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT);
    if (file < 0) {
      throw DataError(path, readable.most_bytes(), "the HDF5 file is cut short or corrupt");
    }
    return file;
  }

  [[noreturn]] void fail(const std::string& client, const std::string& message) const {
    throw DataError(path_, fmt::format("/examples/{}: {}", client, message));
  }

  std::vector<hsize_t> dimensions(hid_t data, const std::string& client, const char* name) const {
    const Handle space(H5Dget_space(data), H5Sclose);
    std::vector<hsize_t> size(H5S_MAX_RANK);
    const int rank = H5Sget_simple_extent_dims(space, size.data(), nullptr);
    if (rank < 0) fail(client, fmt::format("{} has no shape", name));
    size.resize(static_cast<std::size_t>(rank));
    return size;
  }

  void read_client(hid_t group, const std::string& client, UserCollector& users,
                   TextCollector* texts) const {
    for (const char* text : {"snippets", "tokens"}) {
      if (H5Lexists(group, text, H5P_DEFAULT) <= 0) continue;
      if (texts == nullptr) {
        fail(client,
             fmt::format("holds text ({}); give data.tokenizer and data.sequence_length", text));
      }
      return read_texts(group, text, client, *texts);
    }
    if (texts != nullptr) fail(client, "holds no text (snippets or tokens); remove data.tokenizer");
    const Handle pixels(H5Dopen2(group, "pixels", H5P_DEFAULT), H5Dclose);
    const Handle label(H5Dopen2(group, "label", H5P_DEFAULT), H5Dclose);
    if (!pixels.ok() || !label.ok()) {
      std::string found;
      for (const std::string& name : names_in(group)) found += (found.empty() ? "" : ", ") + name;
      fail(client, fmt::format("expected pixels and label, found {}", found));
    }
    const std::vector<hsize_t> size = dimensions(pixels, client, "pixels");
    const std::vector<hsize_t> labels = dimensions(label, client, "label");
    if (size.size() != 3 || labels.size() != 1) {
      fail(client, fmt::format("pixels has {} dimensions and label {}; expected 3 and 1",
                               size.size(), labels.size()));
    }
    if (size[0] != labels[0]) {
      fail(client, fmt::format("{} images, but {} labels", size[0], labels[0]));
    }
    if (size[0] == 0) return;
    check_size(pixels, size, client, users.width());
    if (users.width() == 0) users.set_width(static_cast<int>(size[1] * size[2]));
    append(pixels, label, static_cast<std::size_t>(size[0]), client, users);
  }

  void read_texts(hid_t group, const char* name, const std::string& client,
                  TextCollector& texts) const {
    const Handle data(H5Dopen2(group, name, H5P_DEFAULT), H5Dclose);
    if (!data.ok()) fail(client, fmt::format("{} is no data set", name));
    const std::vector<hsize_t> size = dimensions(data, client, name);
    const Handle stored(H5Dget_type(data), H5Tclose);
    if (size.size() != 1 || H5Tget_class(stored) != H5T_STRING || H5Tis_variable_str(stored) <= 0) {
      fail(client, fmt::format("{}: expected a list of strings of any length", name));
    }
    if (size[0] > H5Dget_storage_size(data) * 65) {  // 16 bytes each, deflated 1,032 times at most
      fail(client, fmt::format("{} claims {} strings, which are not stored", name, size[0]));
    }
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5Tget_cset(stored));
    std::vector<char*> strings(static_cast<std::size_t>(size[0]), nullptr);
    if (strings.empty()) return;
    if (H5Dread(data, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, strings.data()) < 0) {
      fail(client, fmt::format("{} cannot be read: corrupt", name));
    }
    for (const char* text : strings) {
      if (text != nullptr) texts.add(client, text);
    }
    const Handle space(H5Dget_space(data), H5Sclose);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, strings.data());
  }

  // Refuses shapes that the stored bytes cannot fill, before any memory is taken for them.
  void check_size(hid_t pixels, const std::vector<hsize_t>& size, const std::string& client,
                  int width) const {
    const std::string shape = fmt::format("{} x {} x {}", size[0], size[1], size[2]);
    if (size[1] == 0 || size[2] == 0 || size[1] > 4096 || size[2] > 4096) {
      fail(client, "pixels has the shape " + shape);
    }
    if (width != 0 && size[1] * size[2] != static_cast<hsize_t>(width)) {
      fail(client,
           fmt::format("pixels has the shape {}, clients before have {} pixels", shape, width));
    }
    constexpr double kMostRatio = 1032;  // of deflate; one byte a pixel at least
    const auto stored = static_cast<double>(H5Dget_storage_size(pixels));
    const double needed = static_cast<double>(size[0]) * static_cast<double>(size[1] * size[2]);
    if (needed > stored * kMostRatio) {
      fail(client,
           fmt::format("pixels claims the shape {}, but only {} bytes are stored", shape, stored));
    }
  }

  void append(hid_t pixels, hid_t label, std::size_t rows, const std::string& client,
              UserCollector& users) const {
    Samples& samples = users.samples();
    const std::size_t first = samples.labels.size();
    samples.labels.resize(first + rows);
    samples.features.resize(samples.labels.size() * static_cast<std::size_t>(samples.width));
    float* begin = samples.row(static_cast<int>(first));
    if (H5Dread(pixels, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, begin) < 0) {
      fail(client, "pixels cannot be read as numbers: another type, or corrupt");
    }
    if (H5Dread(label, H5T_NATIVE_INT32, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                samples.labels.data() + first) < 0) {
      fail(client, "label cannot be read as numbers: another type, or corrupt");
    }
    for (std::size_t i = first; i < samples.labels.size(); ++i) {
      if (samples.labels[i] < 0 || samples.labels[i] > 1'000'000) {
        fail(client, fmt::format("label {} of sample {}", samples.labels[i], i - first));
      }
    }
    for (std::size_t j = first * static_cast<std::size_t>(samples.width);
         j < samples.features.size(); ++j) {
      if (!std::isfinite(samples.features[j])) fail(client, "a pixel is not finite");
    }
    users.append_owner(users.owner(client), rows);
  }

  std::string path_;
  Handle file_;
};

class Tff final : public DataSource {
 public:
  explicit Tff(const TffParams& params) : params_(params) {}

  LoadedData load(const DataOptions&, std::uint64_t seed) const override {
    const FilePair files = resolve_stem(params_.path.path);
    const QuietErrors quiet;
    UserCollector users;
    TextCollector texts;
    TextCollector* const text = params_.tokenizer.given() ? &texts : nullptr;
    TffFile(files.train).read(users, text);
    if (!files.test.empty()) {
      users.begin_test();
      texts.begin_test();
      TffFile(files.test).read(users, text);
    }
    if (text != nullptr) return text_samples(files.train, texts.done(), params_, seed);
    return users.finish(files.train, params_.classes.value_or(0), !files.test.empty());
  }

 private:
  TffParams params_;
};

SKIFF_REGISTER(
    DataSource, Tff, TffParams,
    {.name = "tff",
     .summary = "TensorFlow Federated's HDF5 files: images as EMNIST, text; natural clients",
     .paper = "Caldas et al. 2018 (LEAF); TensorFlow Federated",
     .verified = "clients, shapes and labels of a file in that layout; speakers and "
                 "snippets of a Shakespeare file",
     .deviates = "of Stack Overflow only the tokens are read"});

}  // namespace
}  // namespace skiff
