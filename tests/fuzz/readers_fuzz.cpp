// Fuzzes the readers of checkpoints, configurations and tokenizers: whatever the bytes, the answer
// is a model or a DataError, never a crash, a hang or absurd memory.
//
//   clang++ -std=c++20 -g -O1 -march=x86-64-v3 -fsanitize=fuzzer,address,undefined -I.
//     -DFMT_HEADER_ONLY tests/fuzz/readers_fuzz.cpp
//     sim/core/{error,convert,reader,node,parse_units}.cpp
//     algorithms/kernels/half.cpp algorithms/data/{tokenizer*,input_file}.cpp
//     algorithms/models/{mapped_file,checkpoint,safetensors,llama2c,layout}.cpp
//     algorithms/models/{hf_config,real_size,llama_config}.cpp -lz -o readers_fuzz
//   ./readers_fuzz -max_len=4096 CORPUS
//
// The first byte says which reader. tests/fuzz/make_corpus.py writes small valid files to begin at.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>

#include "algorithms/data/tokenizer.h"
#include "algorithms/models/checkpoint.h"
#include "algorithms/models/hf_config.h"
#include "algorithms/models/llama2c.h"
#include "algorithms/models/real_size.h"
#include "algorithms/models/safetensors.h"
#include "sim/core/error.h"

namespace {

// One file in memory, written anew for each input.
const std::string& path_of(const std::uint8_t* data, std::size_t size) {
  static const int file = memfd_create("input", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) {
    std::abort();
  }
  return path;
}

void read_all(const skiff::Checkpoint& checkpoint) {
  skiff::Layout layout;
  for (const skiff::CheckpointTensor& t : checkpoint.tensors()) {
    if (t.elements() > 1 << 20) std::abort();  // more values than the file has bytes
    std::vector<float> values(static_cast<std::size_t>(t.elements()));
    try {
      t.read(values);
    } catch (const skiff::DataError&) {
    }
    layout.add(t.name, 2, 3);
  }
  checkpoint.check(layout);
}

void run(int reader, const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  switch (reader) {
    case 0:
      return read_all(*skiff::open_safetensors(path_of(data, size)));
    case 1: {
      const auto checkpoint = skiff::open_llama2c(path_of(data, size));
      skiff::llama_config(skiff::parse_hf_config("config", checkpoint->config()));
      return read_all(*checkpoint);
    }
    case 2: {
      const skiff::HfConfig config = skiff::parse_hf_config("config", text);
      if (config.layers < 64) skiff::real_size_layout(config);
      skiff::llama_config(config);
      return;
    }
    default: {
      const auto tokenizer = skiff::read_llama2c_tokenizer(path_of(data, size));
      const auto ids = tokenizer->encode(text.substr(0, 256));
      if (tokenizer->decode(ids) != text.substr(0, 256)) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  try {
    run(data[0] % 4, data + 1, size - 1);
  } catch (const skiff::DataError&) {
  } catch (const std::invalid_argument&) {  // a shape that this version cannot run
  }
  return 0;
}
