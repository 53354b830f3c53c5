import Diagnostics
import Model
import Rounding

/// Warnings of critics that are held too flat for their loss family, from declared bounds alone.
func criticWarnings(_ experiment: Experiment, _ networks: [NetworkClaims]) -> [Diagnostic] {
  guard let section = experiment.adversarial,
    let critic = networks.first(where: { $0.network.name == "critic" })
  else { return [] }
  let bound = critic.total(.l2)
  guard bound.isFinite else { return [] }
  let elements = critic.network.inputShape.elementCount
  func warning(_ message: String, help: String) -> Diagnostic {
    Diagnostic(
      .uncontrolledCritic, message, at: section.span,
      labels: [
        .init(critic.network.span, "its declared bounds give \(bound.text(significant: 4)) in l2")
      ],
      help: help)
  }
  switch section.loss.control {
  case .unneeded, .needed, .penalty: return []
  case .range(let range):
    // Without a stated range the samples' diameter is not known before they are read.
    guard let data = experiment.data, data.standardize == nil, !data.standardizesByData,
      let interval = data.range else {
      return []
    }
    let width = interval.upperBound - interval.lowerBound
    let spread = bound.value * width * Double(elements).squareRoot()
    guard spread < range else { return [] }
    return [
      warning(
        "`\(section.family)` reaches no margin with this critic: scores of samples in "
          + "\(shortText(interval.lowerBound)) … \(shortText(interval.upperBound)) differ by at "
          + "most \(UpperBound(proved: spread).text(significant: 4)), and \(shortText(range)) is "
          + "needed; it trains as `wgan`",
        help: "set `critic_scale`, or a larger `lipschitz` bound of the critic")
    ]
  case .steepness(let needed):
    let slope = needed(elements)
    guard bound.value < slope else { return [] }
    return [
      warning(
        "`\(section.family)` asks for a margin of at least \(shortText(slope)) for each unit of L2 "
          + "distance, which this critic can give to no pair; it trains as `wgan`",
        help: "lower `margin_scale`, or raise the `lipschitz` bound of the critic")
    ]
  }
}
