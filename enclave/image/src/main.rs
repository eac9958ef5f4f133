//! `tensfer-enclave-image build` writes an enclave image, `measure` says what a hypervisor will measure of one.

use enclave_image::cpio::Archive;
use enclave_image::eif::Image;
use enclave_image::measure::{Measurements, Register};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::{env, fs, io};

const USAGE: &str = "\
usage:
  tensfer-enclave-image build --kernel FILE --program FILE --out FILE [--command-line TEXT] [--kernel-version TEXT]
                              [--input NAME=FILE]…
      Writes an image: the program is /init; inputs are /measured/NAME, and part of PCR2. The same files give the same bytes.
  tensfer-enclave-image measure FILE
      Prints PCR0, PCR1 and PCR2 of an image as JSON, as `build` does.
";
/// As AWS's own tool has it, but for the console: what an enclave says there, its host reads.
const COMMAND_LINE: &str = "reboot=k panic=1 pci=off nomodules random.trust_cpu=on quiet loglevel=0";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match run(&arguments) {
        Ok(text) => match writeln!(io::stdout(), "{text}") {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            let _ = writeln!(io::stderr(), "tensfer-enclave-image: {error}");
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

#[derive(Debug)]
struct Usage(String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}\n{USAGE}", self.0)
    }
}

impl Error for Usage {}

fn run(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    match arguments.split_first() {
        Some((verb, rest)) if verb == "build" => build(rest),
        Some((verb, [file])) if verb == "measure" => {
            Ok(json(&Measurements::of(&Image::from_bytes(&read(file)?)?)))
        }
        Some((verb, [])) if verb == "--help" => Ok(USAGE.trim_end().to_owned()),
        _ => Err(Usage("say `build` or `measure FILE`".to_owned()).into()),
    }
}

fn build(arguments: &[String]) -> Result<String, Box<dyn Error>> {
    let mut options: BTreeMap<&str, &str> = BTreeMap::new();
    let mut inputs = Archive::new().with_directory("measured")?;
    let mut rest = arguments;
    while let Some((name, after)) = rest.split_first() {
        let (value, after) = after.split_first().ok_or_else(|| Usage(format!("`{name}` needs a value")))?;
        rest = after;
        match name.as_str() {
            "--input" => {
                let (name, file) =
                    value.split_once('=').ok_or_else(|| Usage("write `--input NAME=FILE`".to_owned()))?;
                inputs = inputs.with_data(&format!("measured/{name}"), read(file)?)?;
            }
            "--kernel" | "--program" | "--out" | "--command-line" | "--kernel-version" => {
                if options.insert(name, value).is_some() {
                    return Err(Usage(format!("`{name}` is there twice")).into());
                }
            }
            other => return Err(Usage(format!("`{other}` is not an option")).into()),
        }
    }
    let needed =
        |name: &str| options.get(name).copied().ok_or_else(|| Usage(format!("`{name} FILE` is missing")));
    let (kernel, program, out) = (needed("--kernel")?, needed("--program")?, needed("--out")?);
    // What the program mounts and opens: a directory each, empty.
    let boot = ["dev", "proc", "sys"].into_iter().try_fold(Archive::new(), Archive::with_directory)?;
    let boot = boot.with_program("init", read(program)?)?;
    let image = Image {
        kernel: read(kernel)?,
        command_line: options.get("--command-line").copied().unwrap_or(COMMAND_LINE).to_owned(),
        metadata: metadata(options.get("--kernel-version").copied().unwrap_or("unnamed")).into_bytes(),
        ramdisks: vec![boot.to_bytes()?, inputs.to_bytes()?],
    };
    fs::write(out, image.to_bytes()?).map_err(|error| format!("`{out}` cannot be written: {error}"))?;
    Ok(json(&Measurements::of(&image)))
}

fn read(file: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    fs::read(Path::new(file)).map_err(|error| format!("`{file}` cannot be read: {error}").into())
}

/// What AWS's tools show of an image. Nothing of it depends on where or when the image was made.
fn metadata(kernel_version: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let kernel_version: String = kernel_version
        .chars()
        .filter(|symbol| symbol.is_ascii_graphic() && !"\"\\".contains(*symbol))
        .collect();
    format!(
        r#"{{"ImageName":"tensfer-enclave","ImageVersion":"{version}","BuildMetadata":{{"BuildTime":"1970-01-01T00:00:00Z","BuildTool":"tensfer-enclave-image","BuildToolVersion":"{version}","OperatingSystem":"linux","KernelVersion":"{kernel_version}"}},"DockerInfo":{{}},"CustomMetadata":null}}"#
    )
}

fn json(measurements: &Measurements) -> String {
    let hex = |register: &Register| register.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let Measurements { pcr0, pcr1, pcr2 } = measurements;
    format!(r#"{{"PCR0":"{}","PCR1":"{}","PCR2":"{}"}}"#, hex(pcr0), hex(pcr1), hex(pcr2))
}
