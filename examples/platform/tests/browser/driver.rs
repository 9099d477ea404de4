//! A headless Chromium, by its driver.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use real_servers::skip;
use serde_json::{Value, json};

use crate::session::Session;

/// The driver's process. It ends with this value, and its browser does, too.
pub(crate) struct Driver {
    process: Child,
    url: String,
}

/// A tab of its own browser, with cookies of its own.
pub(crate) struct Browser {
    pub(crate) client: Session,
}

impl Driver {
    /// Starts one on a free port; `None` if it is not installed, and then the running test is left out.
    pub(crate) fn start() -> Option<Self> {
        let spawned = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let Ok(mut process) = spawned else {
            skip("chromium", "`chromedriver` cannot be run (Debian: apt-get install chromium chromium-driver)");
            return None;
        };
        let output = BufReader::new(process.stdout.take().unwrap());
        let port = output.lines().find_map(|line| {
            let line = line.ok()?;
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let url = format!("http://127.0.0.1:{}", port.unwrap_or_else(|| panic!("chromedriver says no port")));
        Some(Self { process, url })
    }

    pub(crate) async fn browser(&self) -> Browser {
        // The machine that runs the test may be root in a container, where Chromium has no sandbox.
        let options = json!({ "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
        let client = Session::start(&self.url, options).await.unwrap();
        let browser = Browser { client };
        browser.size(1280, 900).await;
        browser
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Killed, it would leave its browsers behind.
        let host = self.url.trim_start_matches("http://");
        if let Ok(mut stream) = TcpStream::connect(host) {
            let _ = write!(stream, "GET /shutdown HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Browser {
    pub(crate) async fn shown(&self, id: &str) -> String {
        self.until(id, &format!("const e = document.getElementById('{id}'); return !!e && !e.closest('[hidden]')"))
            .await;
        self.client.find(id).await.unwrap()
    }

    pub(crate) async fn text(&self, id: &str) -> String {
        let script = format!("return document.getElementById('{id}').textContent");
        self.client.execute(&script).await.unwrap().as_str().unwrap().to_owned()
    }

    pub(crate) async fn is_hidden(&self, id: &str) -> bool {
        let script = format!("return !!document.getElementById('{id}').closest('[hidden]')");
        self.client.execute(&script).await.unwrap() == true
    }

    pub(crate) async fn click(&self, id: &str) {
        self.until(id, &format!("return document.getElementById('{id}')?.disabled === false")).await;
        let element = self.shown(id).await;
        self.client.click(&element).await.unwrap();
    }

    /// Waits until a script returns `true`.
    pub(crate) async fn until(&self, what: &str, script: &str) {
        let is_so = async || {
            loop {
                // While a page is replaced by another, there is nothing to ask.
                if self.client.execute(script).await.is_ok_and(|answer| answer == true) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(30), is_so()).await.is_err() {
            let page = self.client.execute("return document.body.innerText").await;
            panic!("{what}: {script}\n{page:?} at {:?}", self.client.current_url().await);
        }
    }

    pub(crate) async fn log_in(&self, url: &str) {
        self.client.goto(url).await.unwrap();
        self.enter_name_and_password().await;
    }

    /// By the keyboard alone.
    async fn enter_name_and_password(&self) {
        let name = self.shown("username").await;
        self.client.send_keys(&name, "alice\t").await.unwrap();
        let password = self.client.active_element().await.unwrap();
        self.client.send_keys(&password, "wonderland\n").await.unwrap();
    }

    /// Types into what has the focus.
    pub(crate) async fn type_keys(&self, keys: &str) {
        let focused = self.client.active_element().await.unwrap();
        self.client.send_keys(&focused, keys).await.unwrap();
    }

    /// How often this tab has asked for new tokens, as the browser's own log of requests says.
    pub(crate) async fn refreshes(&self) -> u64 {
        let script = "return performance.getEntriesByType('resource').filter((each) => each.name.endsWith('/session/refresh')).length";
        self.client.execute(script).await.unwrap().as_u64().unwrap()
    }

    /// The cookie with the session, which no script can read.
    pub(crate) async fn cookie(&self) -> String {
        let cookies = self.client.cookies().await.unwrap();
        let session = cookies.iter().find(|cookie| cookie["name"] == "__Host-session").unwrap();
        assert_eq!((&session["httpOnly"], &session["secure"]), (&json!(true), &json!(true)));
        format!("__Host-session={}", session["value"].as_str().unwrap())
    }

    async fn size(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.cdp("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Keeps what the page looks like, in light and dark, on a phone and on a desk. No page may be wider than the screen.
    pub(crate) async fn pictures(&self, name: &str) {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("platform-screenshots");
        fs::create_dir_all(&folder).unwrap();
        for width in [360, 1280] {
            self.size(width, 800).await;
            let wide = self.client.execute("return document.documentElement.scrollWidth").await.unwrap();
            assert!(wide.as_u64().unwrap() <= u64::from(width), "{name} is {wide} wide on {width}");
            for scheme in ["light", "dark"] {
                let scheme_value = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                self.cdp("Emulation.setEmulatedMedia", scheme_value).await;
                let picture = self.cdp("Page.captureScreenshot", json!({ "captureBeyondViewport": true })).await;
                let picture = STANDARD.decode(picture["data"].as_str().unwrap()).unwrap();
                fs::write(folder.join(format!("{name}-{width}-{scheme}.png")), picture).unwrap();
            }
        }
        self.size(1280, 900).await;
    }

    pub(crate) async fn cdp(&self, command: &'static str, parameters: Value) -> Value {
        self.client.cdp(command, parameters).await.unwrap()
    }
}
