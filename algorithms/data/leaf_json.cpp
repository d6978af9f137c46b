#include "algorithms/data/leaf_json.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "algorithms/data/input_file.h"
#include "sim/core/error.h"

namespace skiff {
namespace {

using Json = nlohmann::json;

// The characters of a file; knows how many were handed out.
class Characters {
 public:
  explicit Characters(const std::string& path) : file_(path), buffer_(1 << 18) { fill(); }
  bool at_end() const { return next_ == end_; }
  char current() const { return buffer_[next_]; }
  void advance() {
    ++consumed_;
    if (++next_ == end_) fill();
  }
  long long consumed() const { return consumed_; }

 private:
  void fill() {
    next_ = 0;
    end_ = file_.read(buffer_.data(), buffer_.size());
  }
  InputFile file_;
  std::vector<char> buffer_;
  std::size_t next_ = 0, end_ = 0;
  long long consumed_ = 0;
};

struct CharacterIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;
  Characters* source = nullptr;  // null = the end
  char operator*() const { return source->current(); }
  CharacterIterator& operator++() {
    source->advance();
    return *this;
  }
  void operator++(int) { source->advance(); }
  bool ended() const { return source == nullptr || source->at_end(); }
  bool operator==(const CharacterIterator& other) const { return ended() == other.ended(); }
};

// Where the parser stands. kSkip: inside a value that is of no interest.
enum class Place { kStart, kTop, kUsers, kCounts, kUserData, kUser, kX, kRow, kY, kSkip };

class LeafHandler : public nlohmann::json_sax<Json> {
 public:
  LeafHandler(std::string path, const Characters& characters, UserCollector& users,
              TextCollector* texts)
      : path_(std::move(path)), characters_(characters), users_(users), texts_(texts) {}

  bool null() override { return scalar("null"); }
  bool boolean(bool) override { return scalar("a truth value"); }
  bool number_integer(number_integer_t v) override { return number(static_cast<double>(v)); }
  bool number_unsigned(number_unsigned_t v) override { return number(static_cast<double>(v)); }
  bool number_float(number_float_t v, const string_t&) override { return number(v); }
  bool binary(binary_t&) override { return scalar("binary"); }
  bool string(string_t& text) override {
    if (place() == Place::kUsers) {
      listed_.push_back(text);
      return true;
    }
    if (place() == Place::kX || place() == Place::kY) {
      if (texts_ == nullptr) {
        fail(fmt::format("user \"{}\" has text; give data.tokenizer and data.sequence_length",
                         user_));
      }
      (place() == Place::kX ? windows_ : next_).push_back(text);
      return true;
    }
    return scalar("text");
  }

  bool start_object(std::size_t) override {
    if (place() == Place::kStart) return push(Place::kTop);
    if (place() == Place::kTop && key_ == "user_data") return push(Place::kUserData);
    if (place() == Place::kUserData) {
      user_ = key_;
      user_first_ = samples().labels.size();
      user_rows_ = 0;
      return push(Place::kUser);
    }
    if (ignored()) return push(Place::kSkip);
    fail(fmt::format("expected {}, found an object", expected()));
  }
  bool key(string_t& text) override {
    key_ = text;
    return true;
  }
  bool end_object() override {
    if (place() == Place::kUser) end_user();
    places_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    if (place() == Place::kTop && key_ == "users") return push(Place::kUsers);
    if (place() == Place::kTop && key_ == "num_samples") return push(Place::kCounts);
    if (place() == Place::kUser && key_ == "x") return push(Place::kX);
    if (place() == Place::kUser && key_ == "y") return push(Place::kY);
    if (place() == Place::kX) {
      row_.clear();
      return push(Place::kRow);
    }
    if (ignored()) return push(Place::kSkip);
    fail(fmt::format("expected {}, found a list", expected()));
  }
  bool end_array() override {
    if (place() == Place::kRow) end_row();
    places_.pop_back();
    return true;
  }
  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception& error) override {
    std::string reason = error.what();  // "[json.exception...] parse error at ...: reason"
    const std::size_t at = reason.find(": ");
    if (at != std::string::npos) reason = reason.substr(at + 2);
    throw DataError(path_, static_cast<long long>(position), "not JSON: " + reason);
  }

  void finish() const {
    if (!seen_data_) throw DataError(path_, "has no user_data; expected a LEAF file");
    if (listed_.size() != counts_.size()) {
      throw DataError(path_,
                      fmt::format("{} users, but {} num_samples", listed_.size(), counts_.size()));
    }
    if (listed_.size() != rows_of_.size()) {
      throw DataError(path_, fmt::format("{} users are listed, user_data has {}", listed_.size(),
                                         rows_of_.size()));
    }
    for (std::size_t i = 0; i < listed_.size(); ++i) {
      const auto found = rows_of_.find(listed_[i]);
      if (found == rows_of_.end()) {
        throw DataError(path_, fmt::format("user \"{}\" is not in user_data", listed_[i]));
      }
      if (found->second != counts_[i]) {
        throw DataError(path_, fmt::format("user \"{}\" has {} samples, num_samples says {}",
                                           listed_[i], found->second, counts_[i]));
      }
    }
  }

 private:
  Place place() const { return places_.back(); }
  bool push(Place place) {
    if (place == Place::kUserData) seen_data_ = true;
    places_.push_back(place);
    return true;
  }
  Samples& samples() { return users_.samples(); }

  [[noreturn]] void fail(const std::string& message) const {
    throw DataError(path_, characters_.consumed(), message);
  }

  // Keys of other tools: hierarchies, raw.
  bool ignored() const {
    if (place() == Place::kSkip) return true;
    const bool top = key_ == "users" || key_ == "num_samples" || key_ == "user_data";
    if (place() == Place::kTop) return !top;
    return place() == Place::kUser && key_ != "x" && key_ != "y";
  }
  std::string expected() const {
    switch (place()) {
      case Place::kStart:
      case Place::kUserData:
        return "an object";
      case Place::kTop:
        return key_ == "user_data" ? "an object as user_data" : "a list as " + key_;
      case Place::kUsers:
        return "the name of a user";
      case Place::kUser:
        return "a list as " + key_;
      case Place::kX:
        return "a sample (a list of numbers)";
      default:
        return "a number";
    }
  }
  bool scalar(const std::string& what) const {
    if (ignored()) return true;
    fail(fmt::format("expected {}, found {}", expected(), what));
  }

  bool number(double value) {
    if (place() == Place::kRow) {
      if (!std::isfinite(static_cast<float>(value))) fail("a feature is not finite");
      row_.push_back(static_cast<float>(value));
    } else if (place() == Place::kY) {
      if (!(value >= 0 && value <= 1e6) || value != std::floor(value)) {
        fail(fmt::format("label {} of user \"{}\"; expected a whole number from 0", value, user_));
      }
      samples().labels.push_back(static_cast<std::int32_t>(value));
    } else if (place() == Place::kCounts) {
      counts_.push_back(value);
    } else {
      return scalar("a number");
    }
    return true;
  }

  void end_row() {
    if (users_.width() == 0 && !row_.empty()) users_.set_width(static_cast<int>(row_.size()));
    if (row_.size() != static_cast<std::size_t>(users_.width()) || row_.empty()) {
      fail(fmt::format("sample {} of user \"{}\" has {} features; expected {}", user_rows_, user_,
                       row_.size(), users_.width()));
    }
    samples().features.insert(samples().features.end(), row_.begin(), row_.end());
    ++user_rows_;
  }

  void end_user() {
    if (texts_ != nullptr && user_rows_ > 0) {
      fail(fmt::format("user \"{}\" has numbers, no text; remove data.tokenizer", user_));
    }
    user_rows_ += windows_.size();
    const std::size_t labels = samples().labels.size() - user_first_ + next_.size();
    if (labels != user_rows_) {
      fail(fmt::format("user \"{}\" has {} samples in x, but {} in y", user_, user_rows_, labels));
    }
    if (!rows_of_.emplace(user_, static_cast<double>(labels)).second) {
      fail(fmt::format("user \"{}\" occurs twice", user_));
    }
    if (texts_ == nullptr) return users_.append_owner(users_.owner(user_), labels);
    join_windows();
    windows_.clear();
    next_.clear();
  }

  void join_windows() {
    std::string text;
    for (std::size_t i = 0; i < windows_.size(); ++i) {
      if (!text.empty() && text.ends_with(windows_[i])) {
        text += next_[i];
        continue;
      }
      if (!text.empty()) texts_->add(user_, text);
      text = windows_[i] + next_[i];
    }
    if (!text.empty()) texts_->add(user_, text);
  }

  std::string path_;
  const Characters& characters_;
  UserCollector& users_;
  TextCollector* texts_;
  std::vector<std::string> windows_, next_;  // of the current user
  std::vector<Place> places_{Place::kStart};
  std::string key_, user_;
  std::size_t user_first_ = 0, user_rows_ = 0;
  std::vector<float> row_;
  std::vector<std::string> listed_;
  std::vector<double> counts_;
  std::map<std::string, double> rows_of_;
  bool seen_data_ = false;
};

}  // namespace

void read_leaf_file(const std::string& path, UserCollector& users, TextCollector* texts) {
  Characters characters(path);
  LeafHandler handler(path, characters, users, texts);
  Json::sax_parse(CharacterIterator{&characters}, CharacterIterator{}, &handler);
  handler.finish();
}

}  // namespace skiff
