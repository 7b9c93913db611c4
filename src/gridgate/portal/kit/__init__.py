"""What screens are made of, whatever they are about: formats, forms, lists, files to download, charts."""
