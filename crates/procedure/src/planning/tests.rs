use super::*;

#[test]
fn measure() {
    let request = testing::request();
    let start = std::time::Instant::now();
    let mut last = String::new();
    let plan = plan(&request, &mut |p| {
        if p.stage != last {
            eprintln!("{:6.1} s {}", start.elapsed().as_secs_f64(), p.stage);
            last = p.stage.clone();
        }
        true
    })
    .unwrap();
    eprintln!("{:6.1} s end", start.elapsed().as_secs_f64());
    eprintln!("{:#?}", plan.fast_error);
    for n in &plan.nerves {
        eprintln!("{} tried {} ranked {} sparing {} {:?} lesions {}", n.nerve, n.tried, n.ranked, n.sparing, n.rejected, n.lesions);
        for b in &n.best {
            eprintln!("{} {:?} {:?} depth {:.0} nerve {:.0}° {:.2} mm clear {:.2} spared {:?} skin {:.0}\n   {:?}\n   {:?}", b.device, b.pose, b.angles, b.depth_mm, b.to_nerve_deg, b.axis_to_nerve_mm, b.clearance_mm, b.spared, b.skin_mm, b.fast, b.full);
        }
        for d in &n.by_device {
            eprintln!("{} w {:.1} l {:.1}", d.device, d.plain_width_mm, d.plain_length_mm);
            for (w, c) in [("par", &d.parallel), ("perp", &d.perpendicular), ("two", &d.two)] {
                if let Some(c) = c { eprintln!("  {w} {:.0}° {:?}\n      {:?}", c.to_nerve_deg, c.fast, c.full); }
            }
        }
    }
}
