#include "algorithms/models/llama2c.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "sim/core/error.h"

namespace skiff {
namespace {

constexpr std::uint32_t kMagic = 0x616b3432;
constexpr std::uint64_t kHeaderOfVersions = 256;

struct Header {
  int version = 0;
  std::int64_t dim = 0, hidden = 0, layers = 0, heads = 0, kv_heads = 0, vocabulary = 0, length = 0;
  bool shared_head = true;
  std::int64_t group = 0;    // version 2
  std::uint64_t begin = 28;  // of the weights

  std::int64_t head_width() const { return dim / heads; }
  std::int64_t kv_width() const { return kv_heads * head_width(); }
};

std::int32_t integer(const MappedFile& file, std::uint64_t offset, const char* what) {
  std::int32_t value = 0;
  std::memcpy(&value, file.part(offset, 4, what).data(), 4);
  return value;
}

void check_range(const MappedFile& file, std::uint64_t offset, const char* name, std::int64_t value,
                 std::int64_t most) {
  if (value < 1 || value > most) {
    throw DataError(file.path(), static_cast<long long>(offset),
                    fmt::format("{}: expected 1 to {}, found {}", name, most, value));
  }
}

void read_shape(const MappedFile& file, std::uint64_t offset, Header& h) {
  struct Field {
    const char* name;
    std::int64_t* value;
    std::int64_t most;
  };
  const Field fields[] = {{"dim", &h.dim, 1 << 20},
                          {"hidden_dim", &h.hidden, 1 << 22},
                          {"n_layers", &h.layers, 1 << 12},
                          {"n_heads", &h.heads, 1 << 14},
                          {"n_kv_heads", &h.kv_heads, 1 << 14},
                          {"vocab_size", &h.vocabulary, 1 << 24},
                          {"seq_len", &h.length, 1 << 24}};
  for (const Field& field : fields) {
    *field.value = integer(file, offset, field.name);
    if (field.value == &h.vocabulary && h.version == 0) {
      h.shared_head = h.vocabulary > 0;
      h.vocabulary = std::abs(h.vocabulary);
    }
    check_range(file, offset, field.name, *field.value, field.most);
    offset += 4;
  }
  if (h.dim % h.heads != 0 || h.head_width() % 2 != 0 || h.heads % h.kv_heads != 0) {
    throw DataError(file.path(), static_cast<long long>(offset - 28),
                    fmt::format("dim {} is no multiple of twice n_heads {}, or n_heads none of "
                                "n_kv_heads {}",
                                h.dim, h.heads, h.kv_heads));
  }
}

Header read_header(const MappedFile& file) {
  Header h;
  if (static_cast<std::uint32_t>(integer(file, 0, "the header")) != kMagic) {
    read_shape(file, 0, h);
    return h;
  }
  h.version = integer(file, 4, "the version");
  if (h.version != 1 && h.version != 2) {
    throw DataError(file.path(), 4, fmt::format("expected version 1 or 2, found {}", h.version));
  }
  file.part(0, kHeaderOfVersions, "the header");
  h.begin = kHeaderOfVersions;
  read_shape(file, 8, h);
  const auto shared = std::to_integer<int>(file.part(36, 1, "the header")[0]);
  if (shared > 1) {
    throw DataError(file.path(), 36, fmt::format("shared head: expected 0 or 1, found {}", shared));
  }
  h.shared_head = shared == 1;
  if (h.version == 2) {
    h.group = integer(file, 37, "the group size");
    if (h.group < 1 || h.dim % h.group != 0) {
      throw DataError(file.path(), 37,
                      fmt::format("group size {} does not divide dim {}", h.group, h.dim));
    }
  }
  return h;
}

// Hands out the file from front to back.
class Weights2c {
 public:
  Weights2c(MappedFilePtr file, const Header& header)
      : file_(std::move(file)), header_(header), at_(header.begin) {}

  std::vector<CheckpointTensor> read() {
    const Header& h = header_;
    const std::int64_t layers = h.layers;
    const auto norms = [&] { each_layer("input_layernorm", {h.dim}, false, 0); };
    const auto later_norms = [&] { each_layer("post_attention_layernorm", {h.dim}, false, 0); };
    const bool norms_first = h.version > 0;
    if (norms_first) norms(), later_norms(), one("model.norm.weight", {h.dim}, false);
    one("model.embed_tokens.weight", {h.vocabulary, h.dim}, true);
    if (!norms_first) norms();
    each_layer("self_attn.q_proj", {h.dim, h.dim}, true, h.heads);
    each_layer("self_attn.k_proj", {h.kv_width(), h.dim}, true, h.kv_heads);
    each_layer("self_attn.v_proj", {h.kv_width(), h.dim}, true, 0);
    each_layer("self_attn.o_proj", {h.dim, h.dim}, true, 0);
    if (!norms_first) later_norms();
    each_layer("mlp.gate_proj", {h.hidden, h.dim}, true, 0);
    each_layer("mlp.down_proj", {h.dim, h.hidden}, true, 0);
    each_layer("mlp.up_proj", {h.hidden, h.dim}, true, 0);
    if (!norms_first) one("model.norm.weight", {h.dim}, false), skip_tables();
    if (!h.shared_head) one("lm_head.weight", {h.vocabulary, h.dim}, true);
    if (at_ != file_->size()) {
      throw DataError(file_->path(), static_cast<long long>(at_),
                      fmt::format("the weights of {} layers end here, {} bytes follow", layers,
                                  file_->size() - at_));
    }
    return std::move(tensors_);
  }

 private:
  void one(const std::string& name, std::vector<std::int64_t> shape, bool may_be_coded,
           std::int64_t heads = 0) {
    CheckpointTensor t;
    t.name = name;
    t.shape = std::move(shape);
    t.file = file_;
    t.offset = at_;
    t.interleaved_heads = heads;
    const auto n = static_cast<std::uint64_t>(t.elements());
    const bool coded = may_be_coded && header_.version == 2;
    t.type = coded ? StoredType::kQ8 : StoredType::kF32;
    t.type_name = coded ? "Q8_0" : "F32";
    t.bytes = take(coded ? n : n * 4, name);
    if (coded) {
      t.group = header_.group;
      t.scales = take(n / static_cast<std::uint64_t>(t.group) * 4, name);
    }
    tensors_.push_back(std::move(t));
  }

  void each_layer(const char* module, const std::vector<std::int64_t>& shape, bool may_be_coded,
                  std::int64_t heads) {
    for (std::int64_t i = 0; i < header_.layers; ++i) {
      one(fmt::format("model.layers.{}.{}.weight", i, module), shape, may_be_coded, heads);
    }
  }

  void skip_tables() {  // cosines and sines of the rotary positions
    const std::int64_t values = header_.length * header_.head_width();
    take(static_cast<std::uint64_t>(values) * 4, "the rotary tables");
  }

  std::span<const std::byte> take(std::uint64_t n, const std::string& what) {
    const auto bytes = file_->part(at_, n, what);
    at_ += n;
    return bytes;
  }

  MappedFilePtr file_;
  const Header& header_;
  std::uint64_t at_;
  std::vector<CheckpointTensor> tensors_;
};

std::string config_of(const Header& h) {
  return fmt::format(
      R"({{"model_type": "llama", "hidden_size": {}, "intermediate_size": {}, )"
      R"("num_hidden_layers": {}, "num_attention_heads": {}, "num_key_value_heads": {}, )"
      R"("vocab_size": {}, "max_position_embeddings": {}, "rms_norm_eps": 1e-05, )"
      R"("rope_theta": 10000.0, "tie_word_embeddings": {}, "hidden_act": "silu"}})",
      h.dim, h.hidden, h.layers, h.heads, h.kv_heads, h.vocabulary, h.length, h.shared_head);
}

}  // namespace

CheckpointPtr open_llama2c(const std::string& path) {
  const MappedFilePtr file = MappedFile::open(path);
  const Header header = read_header(*file);
  return std::make_shared<const Checkpoint>(path, Weights2c(file, header).read(),
                                            config_of(header));
}

}  // namespace skiff
