// Tables as groups of an HDF5 file: one chunked dataset a column, the first one the scale of the
// others. A failed write is tried once more after `make_room`; if that helps, the table is whole
// and `trouble()` tells why the run had better end.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "sim/record/chunk_deflate.h"
#include "sim/record/hdf5_handle.h"
#include "sim/record/table.h"

namespace skiff {

class Hdf5Tables final : public ChunkSink {
 public:
  Hdf5Tables(hid_t file, std::function<void()> make_room)
      : file_(file), make_room_(std::move(make_room)) {}

  // Writes the rows; throws hdf5::Failure if that is not possible even after making room.
  void take(const Table& table, std::size_t first, std::size_t rows) override;
  // Makes the datasets of a table that may be empty.
  void create(const Table& table);

  // The reason of the first write that failed; empty if none did.
  const std::string& trouble() const { return trouble_; }
  // Rows of a table that are safe in the file.
  std::size_t written(const Table& table) const;
  // Cuts the columns of a table whose last write failed back to what all of them hold.
  void cut(const Table& table);

  void close();

 private:
  struct Group {
    hdf5::Handle handle;
    std::vector<hdf5::Handle> columns;
    std::size_t rows = 0;
  };
  Group& group_of(const Table& table);
  void write_column(const Table& table, const Group& group, std::size_t column, std::size_t first,
                    std::size_t rows);
  static void set_rows(const Table& table, const Group& group, std::size_t column,
                       std::size_t rows);

  hid_t file_;
  std::function<void()> make_room_;
  std::map<std::string, Group> groups_;
  ChunkDeflate deflate_;
  std::string trouble_;
};

}  // namespace skiff
