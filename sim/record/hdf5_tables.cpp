#include "sim/record/hdf5_tables.h"

#include <array>

#include "sim/record/space_reserve.h"

namespace skiff {
namespace {

using hdf5::checked;
using hdf5::Handle;

Handle create_column(hid_t group, const Table& table, std::size_t c) {
  const ColumnSpec& column = table.columns()[c];
  const int rank = c > 0 && table.two_dimensional() ? 2 : 1;
  const std::array<hsize_t, 2> none{0, table.width()}, unlimited{H5S_UNLIMITED, table.width()};
  const std::array<hsize_t, 2> chunk{table.chunk_rows(), table.width()};
  const Handle space(H5Screate_simple(rank, none.data(), unlimited.data()), H5Sclose, column.name);
  const Handle plan(H5Pcreate(H5P_DATASET_CREATE), H5Pclose, column.name);
  checked(H5Pset_chunk(plan.get(), rank, chunk.data()), column.name);
  checked(H5Pset_shuffle(plan.get()), column.name);
  checked(H5Pset_deflate(plan.get(), 1), column.name);
  Handle dataset(H5Dcreate2(group, column.name.c_str(), hdf5::native_type(column.type), space.get(),
                            H5P_DEFAULT, plan.get(), H5P_DEFAULT),
                 H5Dclose, column.name);
  hdf5::describe(dataset.get(), column);
  return dataset;
}

}  // namespace

Hdf5Tables::Group& Hdf5Tables::group_of(const Table& table) {
  const auto found = groups_.find(table.group());
  if (found != groups_.end()) return found->second;
  Group group;
  group.handle = hdf5::create_group(file_, table.group());
  const hid_t id = group.handle.get();
  Handle labels;
  if (table.two_dimensional()) {
    labels = hdf5::put_names(id, table.label_dimension(), table.labels(), true);
  }
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    group.columns.push_back(create_column(id, table, c));
    const hid_t column = group.columns.back().get();
    if (c == 0) {
      hdf5::make_scale(column, table.columns()[0].name);
      continue;
    }
    hdf5::attach_scale(column, group.columns[0].get(), 0);
    if (labels) hdf5::attach_scale(column, labels.get(), 1);
  }
  return groups_.emplace(table.group(), std::move(group)).first->second;
}

void Hdf5Tables::create(const Table& table) { group_of(table); }

void Hdf5Tables::set_rows(const Table& table, const Group& group, std::size_t column,
                          std::size_t rows) {
  const std::array<hsize_t, 2> extent{rows, table.width()};
  checked(H5Dset_extent(group.columns[column].get(), extent.data()), "growing a column");
}

void Hdf5Tables::write_column(const Table& table, const Group& group, std::size_t column,
                              std::size_t first, std::size_t rows) {
  set_rows(table, group, column, first + rows);
  const auto packed = deflate_.encode(table.buffer(column), size_of(table.columns()[column].type));
  const std::array<hsize_t, 2> offset{first, 0};
  checked(H5Dwrite_chunk(group.columns[column].get(), H5P_DEFAULT, 0, offset.data(), packed.size(),
                         packed.data()),
          "writing a column");
}

void Hdf5Tables::take(const Table& table, std::size_t first, std::size_t rows) {
  if (trouble_.empty() && !within_file_limit(hdf5::size_of_file(file_))) {
    trouble_ = "the limit of file sizes (ulimit -f) is reached";  // there is room to end well
  }
  Group& group = group_of(table);
  for (std::size_t c = 0; c < table.columns().size(); ++c) {
    try {
      write_column(table, group, c, first, rows);
    } catch (const hdf5::Failure& failure) {
      if (!trouble_.empty()) throw;
      trouble_ = failure.what();
      make_room_();
      write_column(table, group, c, first, rows);
    }
  }
  group.rows = first + rows;
}

std::size_t Hdf5Tables::written(const Table& table) const {
  const auto found = groups_.find(table.group());
  return found == groups_.end() ? 0 : found->second.rows;
}

void Hdf5Tables::cut(const Table& table) {
  const auto found = groups_.find(table.group());
  if (found == groups_.end()) return;
  for (std::size_t c = 0; c < found->second.columns.size(); ++c) {
    set_rows(table, found->second, c, found->second.rows);
  }
}

void Hdf5Tables::close() {
  for (auto& [name, group] : groups_) {
    group.columns.clear();
    group.handle.reset();
  }
}

}  // namespace skiff
