//! Reports from the document model: the same bytes twice, whole with any text, of a sane length.

use neurotome_io::report::document::{
    Align, Block, Check, DISCLAIMER, Date, Document, KeyFigure, Moment, Picture, Section, Source, Status, Table, Text,
};

fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 40, 20);
    encoder.set_color(png::ColorType::Rgba);
    let mut writer = encoder.write_header().unwrap();
    let pixels: Vec<u8> = (0..800u32)
        .flat_map(|n| [(n % 256) as u8, 120, 30, (n / 4) as u8])
        .collect();
    writer.write_image_data(&pixels).unwrap();
    writer.finish().unwrap();
    bytes
}

/// Every kind of block, with this text in every place that takes one.
fn everything(text: &str) -> Document {
    let plain = || Text::from(text);
    let all_styles = Text::from(text).bold(text).italic(text).code(text).quantity(text, text);
    let mut table = Table::new(
        text,
        &[(text, Align::Left), (text, Align::Right), (text, Align::Middle)],
    );
    for status in [Status::Plain, Status::Pass, Status::Warn, Status::Fail, Status::Open] {
        table.row_with(status, [text, text, text]);
    }
    table.row([text]);
    table.row([text; 7]);
    let picture = |source, width| Picture {
        source,
        alt: text.to_owned(),
        caption: plain(),
        width,
    };
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='80' height='30'><image href='/etc/hostname' width='9' height='9'/>\
               <circle cx='15' cy='15' r='9' fill='red'/></svg>";
    let blocks = vec![
        Block::Heading(text.to_owned()),
        Block::Paragraph(all_styles),
        Block::List(vec![plain(), plain()]),
        Block::Terms(vec![(plain(), plain())]),
        Block::Table(table),
        Block::Picture(picture(Source::Png(png()), 0.5)),
        Block::Picture(picture(Source::Png(b"\x89PNG\r\n\x1a\n".to_vec()), 1.0)),
        Block::Picture(picture(Source::Svg(text.to_owned()), f64::NAN)),
        Block::Pictures(vec![
            picture(Source::Svg(svg.to_owned()), 1.0),
            picture(Source::Png(png()), 2.0),
        ]),
        Block::KeyFigures(vec![
            KeyFigure {
                name: text.to_owned(),
                value: text.to_owned(),
                unit: text.to_owned(),
                remark: text.to_owned(),
                status: Status::Pass,
            };
            5
        ]),
        Block::Note(Status::Warn, plain()),
        Block::Checklist(vec![Check {
            status: Status::Fail,
            what: plain(),
            remark: plain(),
        }]),
        Block::Timeline(vec![Moment {
            when: text.to_owned(),
            status: Status::Plain,
            what: plain(),
        }]),
        Block::Code(format!("{text}\n\n{text}")),
    ];
    Document {
        title: text.to_owned(),
        subtitle: text.to_owned(),
        statement: plain(),
        program: text.to_owned(),
        date: None,
        opening: blocks.clone(),
        sections: vec![Section {
            id: text.to_owned(),
            title: text.to_owned(),
            blocks,
        }],
    }
}

fn pages(pdf: &[u8]) -> usize {
    let key = b"/Type/Page/";
    let spaced = b"/Type /Page\n";
    let count = |needle: &[u8]| pdf.windows(needle.len()).filter(|w| *w == needle).count();
    count(key) + count(spaced)
}

/// Tags that are opened are closed, in order.
fn closed(html: &str) {
    let mut open: Vec<String> = Vec::new();
    for tag in html.split('<').skip(1) {
        let name: String = tag
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || "/!".contains(*c))
            .collect();
        if let Some(name) = name.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(name));
        } else if !["!DOCTYPE", "meta", "img"].contains(&name.as_str()) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn no_text_breaks_a_report() {
    let long = "x".repeat(6_000);
    let many = "word ".repeat(1_500);
    for text in [
        "",
        " ",
        "<script>alert('1')</script>\"'&</style></pre>",
        "🙂👩‍⚕️🇬🇧 emoji",
        "שלום עולם مرحبا",
        "\u{202e}turned\u{2066}\u{feff}\u{0}\u{7}\u{e000}\u{ffff}\u{10ffff}\u{e0001}",
        "line\none\r\ntwo\ttab\u{2028}three",
        "Zürich Ωµ²–≤ H₂O e\u{301} ＷＩＤＥ 中文",
        &long,
        &many,
    ] {
        let document = everything(text);
        let html = document.to_html();
        closed(&html);
        assert!(!html.contains("<script") && !html.contains('\u{202e}') && !html.contains('\u{0}'));
        let pdf = document.to_pdf().unwrap();
        assert!(pdf.starts_with(b"%PDF-1.7") && pdf.ends_with(b"%%EOF"));
        assert!(html.contains(DISCLAIMER));
    }
    // What a writer cannot know of is left out, not guessed.
    let html = everything("a\u{202e}b").to_html();
    assert!(html.contains("<h1>ab</h1>"));
}

#[test]
fn the_same_report_gives_the_same_bytes_and_a_day_makes_it_an_archive() {
    let document = everything("text of 80 °C");
    let pdf = document.to_pdf().unwrap();
    assert!(pdf == document.to_pdf().unwrap());
    assert!(document.to_html() == document.to_html());
    let holds = |pdf: &[u8], words: &str| pdf.windows(words.len()).any(|w| w == words.as_bytes());
    assert!(holds(&pdf, "pdfuaid:part") && !holds(&pdf, "pdfaid:part") && !holds(&pdf, "CreationDate"));
    let dated = Document {
        date: Some(Date {
            year: 2026,
            month: 11,
            day: 27,
        }),
        ..document
    };
    let pdf = dated.to_pdf().unwrap();
    assert!(holds(&pdf, "pdfuaid:part") && holds(&pdf, "pdfaid:part"));
    assert!(dated.to_html().contains("27 November 2026"));
}

#[test]
fn a_table_of_five_thousand_rows_takes_as_many_pages_as_it_needs() {
    let mut table = Table::new(
        "Many rows",
        &[("n", Align::Right), ("square", Align::Right), ("words", Align::Left)],
    );
    for n in 0..5000u32 {
        table.row([n.to_string(), (n * n).to_string(), format!("the square of {n}")]);
    }
    let document = Document {
        title: "Long".to_owned(),
        sections: vec![Section {
            blocks: vec![Block::Table(table)],
            ..Section::new("long", "A long table")
        }],
        ..Document::default()
    };
    let pdf = document.to_pdf().unwrap();
    // Rows of 17 points on pages of 722.
    let count = pages(&pdf);
    assert!((110..=135).contains(&count), "{count} pages");
    assert!(pdf.len() < 6_000_000, "{} bytes", pdf.len());
}
