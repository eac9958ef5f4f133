//! Images byte for byte as an independent script makes them, and what is measured of each.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test fails by panicking")]

use aws_lc_rs::digest::{SHA256, digest};
use enclave_image::cpio::Archive;
use enclave_image::eif::Image;
use enclave_image::measure::Measurements;
use serde_json::Value;

#[test]
fn images_and_measurements_are_what_the_independent_script_makes() {
    for case in &cases() {
        let image = image(case);
        let bytes = image.to_bytes().unwrap();
        assert_eq!(bytes.len() as u64, case["length"].as_u64().unwrap(), "{}", case["name"]);
        assert_eq!(hex(digest(&SHA256, &bytes).as_ref()), text(&case["sha256"]), "{}", case["name"]);
        assert_eq!(Image::from_bytes(&bytes), Ok(image.clone()));
        let Measurements { pcr0, pcr1, pcr2 } = Measurements::of(&image);
        for (name, value) in [("PCR0", pcr0), ("PCR1", pcr1), ("PCR2", pcr2)] {
            assert_eq!(hex(&value), text(&case[name]), "{} {name}", case["name"]);
        }
    }
}

#[test]
fn what_a_program_is_given_is_measured_apart_from_the_program() {
    let cases = cases();
    let (live, sandbox) = (Measurements::of(&image(&cases[0])), Measurements::of(&image(&cases[1])));
    assert_eq!(live.pcr1, sandbox.pcr1);
    assert!(live.pcr0 != sandbox.pcr0 && live.pcr2 != sandbox.pcr2);
    let described = Measurements::of(&image(&cases[3]));
    assert_eq!(live, described, "metadata is not measured");
}

fn cases() -> Vec<Value> {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/image.json")).unwrap();
    serde_json::from_slice::<Value>(&file).unwrap()["cases"].as_array().unwrap().clone()
}

fn image(case: &Value) -> Image {
    let ramdisks = case["ramdisks"].as_array().unwrap().iter().map(|disk| {
        let files = disk.as_array().unwrap();
        let archive = files.iter().fold(Archive::new(), |archive, file| {
            let (path, contents) = (text(&file["path"]), unhex(text(&file["contents"])));
            match text(&file["mode"]) {
                "40755" => archive.with_directory(path).unwrap(),
                "100755" => archive.with_program(path, contents).unwrap(),
                "100644" => archive.with_data(path, contents).unwrap(),
                other => panic!("mode {other}"),
            }
        });
        archive.to_bytes().unwrap()
    });
    Image {
        kernel: unhex(text(&case["kernel"])),
        command_line: text(&case["command_line"]).to_owned(),
        metadata: text(&case["metadata"]).as_bytes().to_vec(),
        ramdisks: ramdisks.collect(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}
