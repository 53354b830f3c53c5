import Diagnostics
import Lipschitz
import Model

/// What is known of one description without data and weights.
struct Check {
  let path: String
  private(set) var diagnostics: [Diagnostic]
  /// nil where the description has errors.
  private(set) var experiment: Experiment?
  private(set) var analysis: StaticAnalysis?
  private var wasRead = true

  init(_ path: String) {
    self.path = path
    do throws(DiagnosticError) {
      let file = try DescriptionFile.read(path)
      (experiment, diagnostics) = loadExperiment(
        file, catalogs: DescriptionFile.catalogs, directory: DescriptionFile.directory(of: path))
    } catch {
      diagnostics = error.diagnostics
      wasRead = false
    }
    if let experiment {
      let analysis = analyse(experiment)
      self.analysis = analysis
      diagnostics += analysis.diagnostics
    }
  }

  var isSound: Bool { diagnostics.allSatisfy { $0.severity < .error } }
  var exitCode: Int32 { wasRead ? (isSound ? 0 : 1) : 2 }

  /// `quickstart.yaml: 2 errors, 1 warning`, after the diagnostics.
  var summaryLine: String {
    Console.summary(diagnostics).map { "\(path == "-" ? "<stdin>" : path): \($0)\n" } ?? ""
  }
}
