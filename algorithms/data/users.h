// Users of a data set that names them (LEAF, TFF): training files first, then test files.
// Builds LoadedData; a test sample of a user without training samples belongs to nobody.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "algorithms/data/source.h"

namespace skiff {

class UserCollector {
 public:
  // Rows of `user` are about to be appended to samples(): what they belong to.
  std::int32_t owner(const std::string& user);
  void begin_test() { testing_ = true; }

  // Where the rows of the current file go.
  Samples& samples() { return testing_ ? data_.test : data_.train; }
  void append_owner(std::int32_t owner, std::size_t rows);

  // Width agreed by all files; 0 as long as there was no sample.
  int width() const { return width_; }
  void set_width(int width) { data_.train.width = data_.test.width = width_ = width; }

  // Closes the set: classes = `classes`, or the greatest label + 1 where that is 0. `path` is for
  // the messages about a set without samples or a label outside.
  LoadedData finish(const std::string& path, int classes, bool has_test);

 private:
  LoadedData data_;
  std::map<std::string, std::int32_t> index_;
  int width_ = 0;
  bool testing_ = false;
};

}  // namespace skiff
