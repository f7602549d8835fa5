"""Do the notebooks run? Executes each from top to bottom; with --write, keeps the outputs in the file."""

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def main() -> None:
    for path in sorted(Path(__file__).parent.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}).execute()
        pictures = sum(
            "image/png" in output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
        )
        if pictures < 2:
            raise SystemExit(f"{path.name} shows {pictures} pictures, expected the heat map and the firing plot")
        if "--write" in sys.argv[1:]:
            for cell in notebook.cells:
                cell.metadata.pop("execution", None)
                if cell.cell_type == "code":  # progress bars and warnings are of this machine, not of the notebook
                    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            nbformat.write(notebook, path)
        print(f"{path.name}: {len(notebook.cells)} cells ran, {pictures} pictures")


if __name__ == "__main__":
    main()
