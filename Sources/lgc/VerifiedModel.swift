import Diagnostics
import Lipschitz
import Model

/// The description that a certificate is compared with.
enum VerifiedModel {
  /// The hash of every network of a description, as certificates state it.
  static func descriptions(_ path: String) throws -> [String] {
    let (experiment, diagnostics) = loadExperiment(
      try DescriptionFile.read(path), catalogs: DescriptionFile.catalogs,
      directory: DescriptionFile.directory(of: path))
    guard let experiment, diagnostics.allSatisfy({ $0.severity < .error }) else {
      throw DescriptionErrors(diagnostics: diagnostics)
    }
    return experiment.networks.map(Certificate.description)
  }
}
