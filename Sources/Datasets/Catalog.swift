import Model

/// Every kind of this family; a kind is its own file plus one line here.
public enum DatasetsCatalog {
  public static let all: [any Dataset.Type] = [
    CSVData.self,
    FashionMNIST.self,
    IDXData.self,
    ImageFolder.self,
    NPYData.self,
    Synthetic.self,
  ]
}
