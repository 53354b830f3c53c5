import Constraints
import Datasets
import Layers
import Losses
import Model
import Optimizers
import Regularisers

/// Every kind that lgc knows.
public let everyKind = Catalogs(
  layers: LayersCatalog.all, constraints: ConstraintsCatalog.all, losses: LossesCatalog.all,
  adversarialLosses: LossesCatalog.adversarial, regularisers: RegularisersCatalog.all,
  optimizers: OptimizersCatalog.all, datasets: DatasetsCatalog.all,
  augmentations: AugmentationsCatalog.all)
