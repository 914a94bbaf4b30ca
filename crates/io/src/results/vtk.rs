//! VTK XML files with appended raw data, as ParaView reads them.

use std::fmt::Write as _;

use super::lattice::Lattice;

/// How positions in every VTK file are to be read.
pub(crate) const CONVENTION: &str = "Patient frame DICOM LPS, millimetres: x to the patient's left, y posterior, z superior. Temperatures in degrees Celsius.";

/// One array of an XML file.
pub(crate) enum Values<'a> {
    /// 32-bit floats.
    Float(&'a [f32]),
    /// Bytes.
    Byte(&'a [u8]),
    /// 32-bit integers.
    Int(&'a [i32]),
}

/// A named array.
pub(crate) struct Array<'a> {
    /// Name shown in ParaView.
    pub name: &'a str,
    /// Numbers for each point or cell.
    pub components: usize,
    /// The numbers.
    pub values: Values<'a>,
}

impl<'a> Array<'a> {
    /// One float each.
    pub fn float(name: &'a str, values: &'a [f32]) -> Self {
        Self {
            name,
            components: 1,
            values: Values::Float(values),
        }
    }
    /// One byte each.
    pub fn byte(name: &'a str, values: &'a [u8]) -> Self {
        Self {
            name,
            components: 1,
            values: Values::Byte(values),
        }
    }
    /// One integer each.
    pub fn int(name: &'a str, values: &'a [i32]) -> Self {
        Self {
            name,
            components: 1,
            values: Values::Int(values),
        }
    }
    /// Three floats each.
    pub fn vectors(name: &'a str, values: &'a [f32]) -> Self {
        Self {
            name,
            components: 3,
            values: Values::Float(values),
        }
    }
}

/// The file in the making: its XML head and the bytes appended to it.
struct Writer {
    xml: String,
    appended: Vec<u8>,
}

impl Writer {
    fn new(kind: &str) -> Self {
        let mut xml = String::from("<?xml version=\"1.0\"?>\n");
        let _ = writeln!(xml, "<!-- {CONVENTION} -->");
        let _ = writeln!(
            xml,
            "<VTKFile type=\"{kind}\" version=\"1.0\" byte_order=\"LittleEndian\" header_type=\"UInt64\">\n<{kind}>"
        );
        Self {
            xml,
            appended: Vec::new(),
        }
    }

    fn start(&mut self, text: &str) {
        self.xml.push_str(text);
        self.xml.push('\n');
    }

    fn array(&mut self, array: &Array<'_>) {
        let (kind, bytes): (&str, Vec<u8>) = match array.values {
            Values::Float(v) => ("Float32", v.iter().flat_map(|x| x.to_le_bytes()).collect()),
            Values::Byte(v) => ("UInt8", v.to_vec()),
            Values::Int(v) => ("Int32", v.iter().flat_map(|x| x.to_le_bytes()).collect()),
        };
        let _ = writeln!(
            self.xml,
            "<DataArray type=\"{kind}\" Name=\"{}\" NumberOfComponents=\"{}\" format=\"appended\" offset=\"{}\"/>",
            array.name,
            array.components,
            self.appended.len()
        );
        self.appended.extend((bytes.len() as u64).to_le_bytes());
        self.appended.extend(bytes);
    }

    fn section(&mut self, tag: &str, arrays: &[Array<'_>]) {
        let _ = writeln!(self.xml, "<{tag}>");
        for a in arrays {
            self.array(a);
        }
        let _ = writeln!(self.xml, "</{tag}>");
    }

    /// Strings and single numbers that describe the whole file.
    fn field_data(&mut self, texts: &[(&str, &str)], numbers: &[(&str, f64)]) {
        self.start("<FieldData>");
        for (name, text) in [("convention", CONVENTION)].iter().chain(texts) {
            // VTK holds strings as character codes, each string closed by a zero.
            let codes: Vec<String> = text.bytes().chain([0]).map(|b| b.to_string()).collect();
            let _ = writeln!(
                self.xml,
                "<Array type=\"String\" Name=\"{name}\" NumberOfTuples=\"1\" format=\"ascii\">\n{}\n</Array>",
                codes.join(" ")
            );
        }
        for (name, value) in numbers {
            let _ = writeln!(
                self.xml,
                "<DataArray type=\"Float64\" Name=\"{name}\" NumberOfTuples=\"1\" format=\"ascii\">{value}</DataArray>"
            );
        }
        self.start("</FieldData>");
    }

    fn finish(mut self, kind: &str) -> Vec<u8> {
        let _ = write!(self.xml, "</Piece>\n</{kind}>\n<AppendedData encoding=\"raw\">\n_");
        let mut out = self.xml.into_bytes();
        out.extend(self.appended);
        out.extend(b"\n</AppendedData>\n</VTKFile>\n");
        out
    }
}

/// A regular grid (`.vti`) with data at its points.
pub(crate) fn image_data(
    lattice: &Lattice,
    arrays: &[Array<'_>],
    texts: &[(&str, &str)],
    numbers: &[(&str, f64)],
) -> Vec<u8> {
    let [x, y, z] = lattice.dims.map(|d| d - 1);
    let o = lattice.origin_mm;
    let h = lattice.spacing_mm;
    let extent = format!("0 {x} 0 {y} 0 {z}");
    let mut w = Writer::new("ImageData");
    let opening = format!(
        "<ImageData WholeExtent=\"{extent}\" Origin=\"{} {} {}\" Spacing=\"{h} {h} {h}\" Direction=\"1 0 0 0 1 0 0 0 1\">",
        o.x, o.y, o.z
    );
    w.xml = w.xml.replace("<ImageData>", &opening);
    w.field_data(texts, numbers);
    w.start(&format!("<Piece Extent=\"{extent}\">"));
    w.section("PointData", arrays);
    w.section("CellData", &[]);
    w.finish("ImageData")
}

/// Triangles or polylines (`.vtp`).
pub(crate) struct PolyData<'a> {
    /// Points, mm.
    pub points: &'a [neurotome_base::Vec3],
    /// The cells: indices of points.
    pub cells: &'a [Vec<u32>],
    /// True for polylines, false for polygons.
    pub lines: bool,
    /// Data at the points.
    pub point_data: &'a [Array<'a>],
    /// Data of the cells.
    pub cell_data: &'a [Array<'a>],
    /// Strings of the file.
    pub texts: &'a [(&'a str, &'a str)],
    /// Numbers of the file.
    pub numbers: &'a [(&'a str, f64)],
}

/// Writes polygons or polylines.
pub(crate) fn poly_data(data: &PolyData<'_>) -> Vec<u8> {
    let mut w = Writer::new("PolyData");
    w.field_data(data.texts, data.numbers);
    let (lines, polys) = if data.lines {
        (data.cells.len(), 0)
    } else {
        (0, data.cells.len())
    };
    w.start(&format!(
        "<Piece NumberOfPoints=\"{}\" NumberOfVerts=\"0\" NumberOfLines=\"{lines}\" NumberOfStrips=\"0\" NumberOfPolys=\"{polys}\">",
        data.points.len()
    ));
    w.section("PointData", data.point_data);
    w.section("CellData", data.cell_data);
    let points: Vec<f32> = data
        .points
        .iter()
        .flat_map(|p| [p.x as f32, p.y as f32, p.z as f32])
        .collect();
    w.section("Points", &[Array::vectors("Points", &points)]);
    let connectivity: Vec<i32> = data.cells.iter().flatten().map(|&i| i as i32).collect();
    let mut end = 0;
    let offsets: Vec<i32> = data
        .cells
        .iter()
        .map(|c| {
            end += c.len() as i32;
            end
        })
        .collect();
    let cells = [
        Array::int("connectivity", &connectivity),
        Array::int("offsets", &offsets),
    ];
    w.section(if data.lines { "Lines" } else { "Polys" }, &cells);
    w.finish("PolyData")
}
