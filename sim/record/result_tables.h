// Every table of run.h5 that counts as a result, as rows come in, and the digest of them all.
//
// results_sha256 = SHA-256 of the lines "PATH SHA256[ WORDS]\n", sorted, one for each column and
// each list of names; a column's digest is that of its values, little-endian, row by row. It can be
// computed from the file alone, and depends neither on threads nor on how rows were chunked.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "sim/record/recorder.h"
#include "sim/record/table.h"

namespace skiff {

inline constexpr std::array<std::string_view, 7> kMemoryParts{
    "weights", "gradients", "optimizer_state", "activations", "adapters", "scratch", "runtime"};

class ResultTables {
 public:
  // `sink` may be null: nothing is kept but the digests.
  ResultTables(const RunInfo& info, ChunkSink* sink);
  ResultTables(const ResultTables&) = delete;
  ResultTables& operator=(const ResultTables&) = delete;

  void add(const AttemptRow& row);
  void add(const RoundRow& row);
  void add(const TierRow& row);
  void add(const DeviceRow& row);
  void add(const LayerRow& row);
  void add(const EvaluationRow& row);
  void add(const MemoryRow& row) { memory_.push_back(row); }
  void set_model(std::span<const ModelSlice> slices, std::span<const float> values);

  // The tables that stand in the file: those of every run, and others that have rows.
  std::vector<const Table*> tables() const;
  std::vector<Table*> tables();
  const Table& attempts() const { return attempts_; }
  const Table& rounds() const { return rounds_; }
  const std::vector<MemoryRow>& memory() const { return memory_; }
  const std::vector<WallTime>& wall_times() const { return wall_times_; }

  void close();                        // hands on the last rows; no row may follow
  std::string results_sha256() const;  // after close()

 private:
  std::size_t metric(const std::string& name) const;

  bool keeps_attempts_;
  std::vector<std::string> metrics_;
  Table rounds_, attempts_, devices_, tiers_, layers_, evaluations_;
  std::size_t tier_line_ = 0, layer_line_ = 0;
  std::int64_t tier_round_ = -1, layer_round_ = -1;
  std::vector<MemoryRow> memory_;
  std::vector<WallTime> wall_times_;
  std::vector<std::string> model_lines_;
};

// "bytes of part p" of a plan, in the order of kMemoryParts.
std::array<Bytes, kMemoryParts.size()> parts_of(const MemoryRow& row);

}  // namespace skiff
