import ArgumentParser
import Diagnostics
import Formats
import Glibc
import Training

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Writes a description to start from.",
    discussion: """
      Writes NAME.yaml for the chosen template, and lgc.schema.json beside it, by which an editor \
      completes and checks it. A description that is there already is left alone. Without a template \
      the templates are listed.

      Exit codes: 0 done; 2 a file cannot be written or is there; 64 there is no such template.
      """)

  @Argument(help: ArgumentHelp("The template.", valueName: "template"))
  var template: String?

  @Option(
    help: ArgumentHelp("Where to write it (default: TEMPLATE.yaml).", valueName: "model.yaml"))
  var out: String?

  @Option(help: "Whether to colour messages.")
  var color = ColorChoice.auto

  func run() throws {
    guard let template else {
      let rows = Template.all.map { [$0.name, $0.summary] }
      Console.write(
        aligned(rows, rightAligned: []).map { $0 + "\n" }.joined()
          + "\nwrite one with lgc init NAME\n", to: STDOUT_FILENO)
      return
    }
    guard let found = Template.all.first(where: { $0.name == template }) else {
      let near = Suggestion.closest(to: template, among: Template.all.map(\.name))
      throw ValidationError(
        "there is no template '\(template)'"
          + (near.map { "; did you mean '\($0)'?" }
            ?? "; there are \(Template.all.map(\.name).joined(separator: ", "))"))
    }
    try Failure.reported(color: color) {
      let path = out ?? "\(found.name).yaml"
      if access(path, F_OK) == 0 {
        throw DiagnosticError(
          Diagnostic(
            .cannotWrite, "`\(path)` is there already", at: nil,
            help: "choose another name with --out FILE"))
      }
      let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
      do throws(FormatError) {
        let head = "# yaml-language-server: $schema=./lgc.schema.json\n"
        try AtomicFile.write(Array((head + found.text).utf8), to: path)
        try AtomicFile.write(Array(LanguageTexts.schema.utf8), to: folder + "lgc.schema.json")
      } catch {
        throw DiagnosticError(error)
      }
      Console.write("\(path)\n\(folder)lgc.schema.json\n", to: STDOUT_FILENO)
      return 0
    }
  }
}
