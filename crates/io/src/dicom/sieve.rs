//! Walks the elements of a DICOM file and keeps the few that a CT volume needs.
//!
//! The walk comes before the DICOM parser for two reasons. Privacy: an element that is not on the list is passed over by its
//! length and never decoded. Safety: the parser takes memory as an element's length asks and follows sequences by recursion; what
//! it gets from here is at most [`MAX_VALUE`] bytes an element, without sequences.
//!
//! Element structure: DICOM PS3.5, sections 7.1, 7.5 and A.4.

use std::{borrow::Cow, io::Read};

use super::FileProblem;

/// Elements kept, in the order of their tags: geometry, scaling and what the picture is.
const KEPT: [(u16, u16); 21] = [
    (0x0008, 0x0008), // ImageType
    (0x0008, 0x0016), // SOPClassUID
    (0x0008, 0x0060), // Modality
    (0x0018, 0x0050), // SliceThickness
    (0x0018, 0x0060), // KVP
    (0x0018, 0x1120), // GantryDetectorTilt
    (0x0020, 0x000E), // SeriesInstanceUID
    (0x0020, 0x0032), // ImagePositionPatient
    (0x0020, 0x0037), // ImageOrientationPatient
    (0x0028, 0x0002), // SamplesPerPixel
    (0x0028, 0x0004), // PhotometricInterpretation
    (0x0028, 0x0008), // NumberOfFrames
    (0x0028, 0x0010), // Rows
    (0x0028, 0x0011), // Columns
    (0x0028, 0x0030), // PixelSpacing
    (0x0028, 0x0100), // BitsAllocated
    (0x0028, 0x0101), // BitsStored
    (0x0028, 0x0102), // HighBit
    (0x0028, 0x0103), // PixelRepresentation
    (0x0028, 0x0120), // PixelPaddingValue
    (0x0028, 0x1054), // RescaleType
];
/// Two more, apart because they decide the Hounsfield scale.
const RESCALE: [(u16, u16); 2] = [(0x0028, 0x1052), (0x0028, 0x1053)];
const PIXEL_DATA: (u16, u16) = (0x7FE0, 0x0010);
const TRANSFER_SYNTAX: (u16, u16) = (0x0002, 0x0010);

/// Types whose length is written in two bytes.
const SHORT: [&[u8; 2]; 21] = [
    b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FD", b"FL", b"IS", b"LO", b"LT", b"PN", b"SH", b"SL", b"SS",
    b"ST", b"TM", b"UI", b"UL", b"US",
];
/// Longest value kept, bytes.
const MAX_VALUE: usize = 1024;
/// Deepest nesting of sequences.
const MAX_DEPTH: usize = 64;
/// Most bytes that a deflated data set may become.
const MAX_INFLATED: u64 = 64 << 20;
const UNDEFINED: u32 = u32::MAX;

/// How elements are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Encoding {
    pub explicit: bool,
    pub big_endian: bool,
}

/// How pixels are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Native,
    EncapsulatedNative,
    Rle,
    Jpeg,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct TransferSyntax {
    pub encoding: Encoding,
    pub deflated: bool,
    pub codec: Codec,
}

impl TransferSyntax {
    fn from_uid(uid: &str) -> Result<Self, FileProblem> {
        let little = Encoding {
            explicit: true,
            big_endian: false,
        };
        let plain = |encoding, deflated, codec| {
            Ok(Self {
                encoding,
                deflated,
                codec,
            })
        };
        let unsupported = |name| {
            let known: String = uid
                .chars()
                .filter(|c| c.is_ascii_digit() || *c == '.')
                .take(64)
                .collect();
            Err(FileProblem::TransferSyntax { uid: known, name })
        };
        match uid {
            "1.2.840.10008.1.2" => plain(
                Encoding {
                    explicit: false,
                    big_endian: false,
                },
                false,
                Codec::Native,
            ),
            "1.2.840.10008.1.2.1" => plain(little, false, Codec::Native),
            "1.2.840.10008.1.2.1.98" => plain(little, false, Codec::EncapsulatedNative),
            "1.2.840.10008.1.2.1.99" => plain(little, true, Codec::Native),
            "1.2.840.10008.1.2.2" => plain(
                Encoding {
                    explicit: true,
                    big_endian: true,
                },
                false,
                Codec::Native,
            ),
            "1.2.840.10008.1.2.4.50" | "1.2.840.10008.1.2.4.57" | "1.2.840.10008.1.2.4.70" => {
                plain(little, false, Codec::Jpeg)
            }
            "1.2.840.10008.1.2.5" => plain(little, false, Codec::Rle),
            "1.2.840.10008.1.2.4.51" => unsupported(" (JPEG extended)"),
            "1.2.840.10008.1.2.4.80" | "1.2.840.10008.1.2.4.81" => unsupported(" (JPEG-LS)"),
            "1.2.840.10008.1.2.4.90" | "1.2.840.10008.1.2.4.91" => unsupported(" (JPEG 2000)"),
            "1.2.840.10008.1.2.4.201" | "1.2.840.10008.1.2.4.202" | "1.2.840.10008.1.2.4.203" => {
                unsupported(" (high-throughput JPEG 2000)")
            }
            _ => unsupported(""),
        }
    }
}

/// A DICOM file whose data set lies open.
pub(super) struct DataSet<'a> {
    pub syntax: TransferSyntax,
    bytes: Cow<'a, [u8]>,
}

/// What passed the sieve.
pub(super) struct Sieved<'a> {
    /// The elements kept, in the encoding of the file.
    pub kept: Vec<u8>,
    /// The bytes from the start of the pixel data's value, when there are pixels.
    pub pixels: Option<PixelBytes<'a>>,
}

/// Where the pixels are.
pub(super) struct PixelBytes<'a> {
    /// From the first byte of the value to the end of the value, or of the file when encapsulated.
    pub bytes: &'a [u8],
    pub encapsulated: bool,
}

/// True when the bytes begin like a DICOM file.
pub(super) fn is_dicom(bytes: &[u8]) -> bool {
    bytes.get(128..132) == Some(b"DICM")
}

impl<'a> DataSet<'a> {
    /// Reads the file meta group and, if need be, inflates the rest.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, FileProblem> {
        if !is_dicom(bytes) {
            return Err(FileProblem::NotDicom);
        }
        let mut walk = Walk {
            bytes,
            at: 132,
            encoding: Encoding {
                explicit: true,
                big_endian: false,
            },
        };
        let mut uid = None;
        // The meta group is always explicit little endian and ends where the next group begins.
        while walk.peek_group() == Some(0x0002) {
            let Some(element) = walk.header()? else { break };
            let value = walk.value(element.length)?;
            if element.tag == TRANSFER_SYNTAX {
                let text = std::str::from_utf8(&value[..value.len().min(MAX_VALUE)]).unwrap_or("");
                uid = Some(text.trim_end_matches(['\0', ' ']).to_owned());
            }
        }
        let uid = uid.ok_or(FileProblem::Missing {
            attribute: "TransferSyntaxUID",
        })?;
        let syntax = TransferSyntax::from_uid(&uid)?;
        let rest = &bytes[walk.at..];
        let bytes = if syntax.deflated {
            let mut inflated = Vec::new();
            let mut input = flate2::read::DeflateDecoder::new(rest).take(MAX_INFLATED + 1);
            // A stream that breaks off is reported by the walk, which meets the end too early.
            let _ = input.read_to_end(&mut inflated);
            if inflated.len() as u64 > MAX_INFLATED {
                return Err(FileProblem::TooLarge { limit: MAX_INFLATED });
            }
            Cow::Owned(inflated)
        } else {
            Cow::Borrowed(rest)
        };
        Ok(Self { syntax, bytes })
    }

    /// Walks the data set to the pixels.
    pub(super) fn sieve(&self) -> Result<Sieved<'_>, FileProblem> {
        let mut walk = Walk {
            bytes: &self.bytes,
            at: 0,
            encoding: self.syntax.encoding,
        };
        let mut kept = Vec::new();
        loop {
            let start = walk.at;
            let Some(element) = walk.header()? else {
                return Ok(Sieved { kept, pixels: None });
            };
            if element.tag == PIXEL_DATA {
                let rest = &walk.bytes[walk.at..];
                let encapsulated = element.length == UNDEFINED;
                let end = if encapsulated {
                    rest.len()
                } else {
                    element.length as usize
                };
                return Ok(Sieved {
                    kept,
                    pixels: Some(PixelBytes {
                        bytes: &rest[..end.min(rest.len())],
                        encapsulated,
                    }),
                });
            }
            if element.tag > PIXEL_DATA {
                return Ok(Sieved { kept, pixels: None });
            }
            if element.length == UNDEFINED {
                walk.skip_undefined(element.implicit_inside)?;
                continue;
            }
            let value = walk.value(element.length)?;
            let wanted = KEPT.contains(&element.tag) || RESCALE.contains(&element.tag);
            // Every value wanted is far shorter than this; what is not so is left out and will be missed by name.
            if wanted && element.plain && value.len() <= MAX_VALUE {
                kept.extend_from_slice(&walk.bytes[start..walk.at]);
            }
        }
    }
}

struct Element {
    tag: (u16, u16),
    length: u32,
    /// An element of unknown type and undefined length holds implicit elements (PS3.5 section 6.2.2).
    implicit_inside: bool,
    /// A number or a short text, which the parser reads just as this walk does.
    plain: bool,
}

struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
    encoding: Encoding,
}

impl<'a> Walk<'a> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], FileProblem> {
        let slice = self.bytes.get(self.at..self.at + N).ok_or(FileProblem::Truncated)?;
        let mut out = [0; N];
        out.copy_from_slice(slice);
        self.at += N;
        Ok(out)
    }

    fn u16(&mut self) -> Result<u16, FileProblem> {
        let b = self.take()?;
        Ok(if self.encoding.big_endian {
            u16::from_be_bytes(b)
        } else {
            u16::from_le_bytes(b)
        })
    }

    fn u32(&mut self) -> Result<u32, FileProblem> {
        let b = self.take()?;
        Ok(if self.encoding.big_endian {
            u32::from_be_bytes(b)
        } else {
            u32::from_le_bytes(b)
        })
    }

    fn peek_group(&self) -> Option<u16> {
        let b = self.bytes.get(self.at..self.at + 2)?;
        Some(u16::from_le_bytes([b[0], b[1]]))
    }

    /// The next element's header; none at the very end.
    fn header(&mut self) -> Result<Option<Element>, FileProblem> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let tag = (self.u16()?, self.u16()?);
        let (mut implicit_inside, mut plain) = (false, true);
        // Items and delimiters have no type in any encoding.
        let length = if self.encoding.explicit && tag.0 != 0xFFFE {
            let vr: [u8; 2] = self.take()?;
            if SHORT.contains(&&vr) {
                u32::from(self.u16()?)
            } else {
                // Types of later editions of the standard have the long form.
                plain = false;
                self.take::<2>()?;
                let length = self.u32()?;
                implicit_inside = &vr == b"UN" && length == UNDEFINED;
                length
            }
        } else {
            self.u32()?
        };
        Ok(Some(Element {
            tag,
            length,
            implicit_inside,
            plain,
        }))
    }

    fn value(&mut self, length: u32) -> Result<&'a [u8], FileProblem> {
        let value = self
            .at
            .checked_add(length as usize)
            .and_then(|end| self.bytes.get(self.at..end))
            .ok_or(FileProblem::Truncated)?;
        self.at += value.len();
        Ok(value)
    }

    /// Passes over the content of an element of undefined length, its delimiter included, without recursion.
    fn skip_undefined(&mut self, implicit_inside: bool) -> Result<(), FileProblem> {
        let outer = self.encoding;
        let mut depth = 1usize;
        let mut implicit_depth = implicit_inside.then_some(1);
        if implicit_inside {
            self.encoding.explicit = false;
        }
        while depth > 0 {
            let element = self.header()?.ok_or(FileProblem::Truncated)?;
            match element.tag {
                (0xFFFE, 0xE0DD | 0xE00D) => {
                    depth -= 1;
                    if implicit_depth.is_some_and(|d| d > depth) {
                        implicit_depth = None;
                        self.encoding = outer;
                    }
                }
                _ if element.length == UNDEFINED => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(FileProblem::TooDeep { limit: MAX_DEPTH });
                    }
                    if element.implicit_inside && implicit_depth.is_none() {
                        implicit_depth = Some(depth);
                        self.encoding.explicit = false;
                    }
                }
                _ => {
                    self.value(element.length)?;
                }
            }
        }
        Ok(())
    }
}
