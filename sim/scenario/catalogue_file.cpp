#include "sim/scenario/catalogue_file.h"

#include <cstdlib>

namespace skiff {

std::string builtin_catalogue_folder() {
  const char* home = std::getenv("SKIFF_HOME");
  const std::string folder = "devices/profiles";
  return home != nullptr && *home != '\0' ? std::string(home) + "/" + folder : folder;
}

std::shared_ptr<const Catalogue> read_catalogue(const std::string& folder, const std::string& own,
                                                SourceTexts& texts, Reader& reader) {
  std::vector<std::string> files = catalogue_files(folder);
  if (files.empty()) return nullptr;
  if (!own.empty()) files.push_back(own);
  std::vector<Node> documents;
  for (const std::string& file : files) {
    const std::string text = read_scenario_file(file);
    texts.add(file, text);
    std::vector<Problem> problems;
    documents.push_back(parse_yaml(text, file, problems));
    for (const Problem& p : problems) reader.problem_at(p.where, p.path, p.message);
  }
  return std::make_shared<const Catalogue>(Catalogue::read(documents, reader));
}

std::shared_ptr<const Catalogue> builtin_catalogue() {
  SourceTexts texts;
  Reader reader([&](const Location& where) { return texts.line(where); });
  const std::string folder = builtin_catalogue_folder();
  auto catalogue = read_catalogue(folder, "", texts, reader);
  if (catalogue == nullptr) {
    reader.problem_at({folder, 0, 0}, "",
                      "holds no device catalogue; set SKIFF_HOME to skiff's "
                      "folder");
  }
  reader.throw_if_any();
  return catalogue;
}

}  // namespace skiff
