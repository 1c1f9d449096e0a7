//! The configuration of MCP clients: this server is put in or taken out, and all else stays.
//!
//! Each client gets a token of its own (see [`Clients`]); its configuration names the client, and holds
//! no secret.
//!
//! Claude Desktop, Cursor and Claude Code keep `{"mcpServers": {NAME: {"command", "args"}}}`,
//! Visual Studio Code `{"servers": {NAME: {"type", "command", "args"}}}`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::ValueEnum;
use serde_json::{Map, Value, json};
use wa_bridge::{Cause, ClientName, Clients, Environment, Failure, Profile};

use crate::args::{InstallArguments, McpClient, UninstallArguments};

/// Puts the server in, and lets the client in; what was done, in words.
pub(crate) fn install(
    arguments: &InstallArguments,
    program: &Path,
    environment: &Environment,
) -> Result<String, Failure> {
    let name = client_name(arguments.client)?;
    let place = Place::of(arguments.client, arguments.config.as_deref())?;
    let mut config = place.read()?;
    let servers = place.servers(&mut config)?;
    let entry = entry(arguments, program, &name);
    let before = servers.insert(arguments.name.clone(), entry.clone());
    let did = match before {
        Some(before) if before == entry => "was there already",
        Some(_) => "was replaced",
        None => "was added",
    };
    let shown = serde_json::to_string_pretty(&json!({ arguments.name.as_str(): entry }))
        .unwrap_or_default();
    if arguments.dry_run {
        return Ok(format!("would write to {}:\n{shown}", place.file.display()));
    }
    let profile = arguments.profile.as_deref();
    let token = clients_of(profile, environment)?.register(&name)?;
    place.write(&config)?;
    let (file, token) = (place.file.display(), token.display());
    Ok(format!(
        "{} {did} in {file}:\n{shown}\nIt asks as {name}, with the token in {token}. Start {} again to use it.",
        arguments.name,
        place.client_name()
    ))
}

/// Takes the server out, and shuts the client out; what was done, in words.
pub(crate) fn uninstall(
    arguments: &UninstallArguments,
    environment: &Environment,
) -> Result<String, Failure> {
    let place = Place::of(arguments.client, arguments.config.as_deref())?;
    let mut config = place.read()?;
    let servers = place.servers(&mut config)?;
    let removed = servers.remove(&arguments.name);
    // The same client may have a server for another account, or another name for this one.
    let is_needed = |let_in: &LetIn| servers.values().any(|other| LetIn::by(other) == *let_in);
    let let_in = removed.as_ref().map(LetIn::by).filter(|let_in| !is_needed(let_in));
    let file = place.file.display();
    if removed.is_none() {
        return Ok(format!("there is no {} in {file}; nothing was changed", arguments.name));
    }
    place.write(&config)?;
    if let Some(LetIn { client: Some(client), profile }) = let_in {
        clients_of(profile.as_deref(), environment)?.revoke(&client)?;
    }
    Ok(format!("{} was taken out of {file}", arguments.name))
}

/// Whom an entry has the server ask as, and of which account.
#[derive(Debug, PartialEq, Eq)]
struct LetIn {
    client: Option<ClientName>,
    profile: Option<String>,
}

impl LetIn {
    fn by(entry: &Value) -> Self {
        let args = entry.get("args").and_then(Value::as_array).cloned().unwrap_or_default();
        let after = |option: &str| {
            let place = args.iter().position(|arg| arg == option)?;
            args.get(place + 1)?.as_str().map(str::to_owned)
        };
        Self {
            client: after("--client").and_then(|name| name.parse().ok()),
            profile: after("--profile"),
        }
    }
}

/// The name under which a client is let in: that by which it is installed.
fn client_name(client: McpClient) -> Result<ClientName, Failure> {
    let value = client.to_possible_value();
    let name = value.as_ref().map_or("", |value| value.get_name());
    name.parse().map_err(|error| Failure::new(Cause::Usage, format!("{error}")))
}

fn clients_of(profile: Option<&str>, environment: &Environment) -> Result<Clients, Failure> {
    let named = profile.map(str::to_owned).or_else(|| std::env::var("WA_PROFILE").ok());
    let name = named
        .as_deref()
        .unwrap_or("default")
        .parse()
        .map_err(|error| Failure::new(Cause::Usage, format!("{error}")))?;
    Ok(Clients::of(&Profile::locate(&name, None, environment)?))
}

fn entry(arguments: &InstallArguments, program: &Path, name: &ClientName) -> Value {
    let mut args = vec!["--client".to_owned(), name.to_string()];
    if arguments.read_only {
        args.push("--read-only".to_owned());
    }
    if let Some(page) = arguments.page {
        args.extend(["--page".to_owned(), page.to_string()]);
    }
    if let Some(profile) = &arguments.profile {
        args.extend(["--profile".to_owned(), profile.clone()]);
    }
    let program = program.display().to_string();
    match arguments.client {
        McpClient::Vscode | McpClient::ClaudeCode => {
            json!({ "type": "stdio", "command": program, "args": args })
        }
        _ => json!({ "command": program, "args": args }),
    }
}

/// A client's configuration file.
struct Place {
    client: McpClient,
    file: PathBuf,
}

/// No client's configuration is larger, in bytes.
const MAX_CONFIG: u64 = 64 << 20;

impl Place {
    fn of(client: McpClient, named: Option<&Path>) -> Result<Self, Failure> {
        if let Some(file) = named {
            return Ok(Self { client, file: file.to_owned() });
        }
        let environment = Environment::from_process();
        let no_home = || {
            Failure::new(Cause::Usage, "no home folder is known")
                .remedy("name the client's configuration file with --config")
        };
        let config = environment.config_home.ok_or_else(no_home)?;
        let home = std::env::home_dir().ok_or_else(no_home)?;
        let support = if cfg!(target_os = "macos") {
            home.join("Library/Application Support")
        } else {
            config
        };
        let file = match client {
            McpClient::ClaudeDesktop => support.join("Claude/claude_desktop_config.json"),
            McpClient::ClaudeCode => home.join(".claude.json"),
            McpClient::Cursor => home.join(".cursor/mcp.json"),
            McpClient::Vscode => support.join("Code/User/mcp.json"),
        };
        Ok(Self { client, file })
    }

    const fn client_name(&self) -> &'static str {
        match self.client {
            McpClient::ClaudeDesktop => "Claude Desktop",
            McpClient::ClaudeCode => "Claude Code",
            McpClient::Cursor => "Cursor",
            McpClient::Vscode => "Visual Studio Code",
        }
    }

    /// The configuration; empty where there is none. What cannot be understood is left alone.
    fn read(&self) -> Result<Map<String, Value>, Failure> {
        match fs::metadata(&self.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(error) => return Err(self.failed("read", &error)),
            Ok(metadata) if metadata.len() > MAX_CONFIG => return Err(self.not_understood()),
            Ok(_) => {}
        }
        let text = fs::read_to_string(&self.file).map_err(|error| self.failed("read", &error))?;
        if text.trim().is_empty() {
            return Ok(Map::new());
        }
        serde_json::from_str(&text).map_err(|_| self.not_understood())
    }

    fn servers<'a>(
        &self,
        config: &'a mut Map<String, Value>,
    ) -> Result<&'a mut Map<String, Value>, Failure> {
        let name = match self.client {
            McpClient::Vscode => "servers",
            _ => "mcpServers",
        };
        let servers = config.entry(name).or_insert_with(|| Value::Object(Map::new()));
        servers.as_object_mut().ok_or_else(|| self.not_understood())
    }

    /// Writes the file anew beside the old one, and puts it in its place, so that there is a whole
    /// one at every moment.
    fn write(&self, config: &Map<String, Value>) -> Result<(), Failure> {
        let failed = |error: io::Error| self.failed("write", &error);
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        // Where the file is a link, what it leads to is written.
        let target = fs::canonicalize(&self.file).unwrap_or_else(|_| self.file.clone());
        let folder = target.parent().unwrap_or(folder);
        let mut text = serde_json::to_string_pretty(config)
            .map_err(|error| self.failed("write", &error.into()))?;
        text.push('\n');
        let file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        fs::write(file.path(), text).map_err(failed)?;
        if let Ok(metadata) = fs::metadata(&target) {
            fs::set_permissions(file.path(), metadata.permissions()).map_err(failed)?;
        }
        file.persist(&target).map_err(|error| failed(error.error))?;
        Ok(())
    }

    fn failed(&self, what: &str, error: &io::Error) -> Failure {
        Failure::new(Cause::Failed, format!("cannot {what} {}: {error}", self.file.display()))
            .remedy("name the client's configuration file with --config")
    }

    fn not_understood(&self) -> Failure {
        let message =
            format!("{} is no configuration that is understood here", self.file.display());
        Failure::new(Cause::Failed, message).remedy(
            "nothing was changed; mend the file (it may have comments), or add the server by hand",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(client: McpClient, config: &Path) -> InstallArguments {
        InstallArguments {
            client,
            name: "whatsapp".into(),
            read_only: true,
            page: Some("127.0.0.1:8930".parse().unwrap()),
            profile: None,
            config: Some(config.to_owned()),
            dry_run: false,
        }
    }

    fn removal(client: McpClient, config: &Path) -> UninstallArguments {
        UninstallArguments { client, name: "whatsapp".into(), config: Some(config.to_owned()) }
    }

    fn environment(folder: &Path) -> Environment {
        let mut environment = Environment::default();
        environment.config_home = Some(folder.to_owned());
        environment.data_home = Some(folder.to_owned());
        environment
    }

    #[test]
    fn a_client_is_let_in_by_a_token_of_its_own_that_its_configuration_does_not_hold() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        let clients = clients_of(None, &environment).unwrap();
        let file = folder.path().join("client.json");
        let mut tokens = Vec::new();
        for client in [McpClient::Cursor, McpClient::ClaudeDesktop] {
            let name = client_name(client).unwrap();
            let mut dry = arguments(client, &file);
            dry.dry_run = true;
            install(&dry, Path::new("/x"), &environment).unwrap();
            assert!(clients.token(&name).is_err(), "nothing was done yet");
            let told = install(&arguments(client, &file), Path::new("/x"), &environment).unwrap();
            let token = fs::read_to_string(clients.token_file(&name)).unwrap().trim().to_owned();
            let config = fs::read_to_string(&file).unwrap();
            assert!(!config.contains(&token) && !told.contains(&token));
            assert_eq!(clients.identify(&token), Some(name));
            tokens.push(token);
        }
        assert_ne!(tokens[0], tokens[1]);
        uninstall(&removal(McpClient::ClaudeDesktop, &file), &environment).unwrap();
        assert_eq!(clients.identify(&tokens[1]), None, "whoever is taken out is shut out");
        assert!(clients.identify(&tokens[0]).is_some());
    }

    #[test]
    fn what_is_there_stays_and_what_was_added_goes_again() {
        let folder = tempfile::tempdir().unwrap();
        let environment = environment(folder.path());
        for client in
            [McpClient::ClaudeDesktop, McpClient::ClaudeCode, McpClient::Cursor, McpClient::Vscode]
        {
            let file = folder.path().join(format!("{client:?}.json"));
            let before = json!({ "theme": "dark", "mcpServers": { "other": { "command": "x" } },
                                 "servers": { "other": { "command": "y" } } });
            fs::write(&file, before.to_string()).unwrap();
            let program = Path::new("/usr/bin/wa-mcp");
            install(&arguments(client, &file), program, &environment).unwrap();
            let after: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let name = if client == McpClient::Vscode { "servers" } else { "mcpServers" };
            assert_eq!(after["theme"], "dark");
            assert_eq!(after[name]["other"], before[name]["other"]);
            assert_eq!(after[name]["whatsapp"]["command"], "/usr/bin/wa-mcp");
            let asks_as = client_name(client).unwrap();
            assert_eq!(
                after[name]["whatsapp"]["args"],
                json!(["--client", asks_as, "--read-only", "--page", "127.0.0.1:8930"])
            );
            uninstall(&removal(client, &file), &environment).unwrap();
            let last: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            assert_eq!(last, before);
        }
    }

    #[test]
    fn a_file_that_is_not_understood_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.json");
        for text in ["// a comment\n{}", "[]", "{\"mcpServers\": 1}"] {
            fs::write(&file, text).unwrap();
            let program = Path::new("/usr/bin/wa-mcp");
            let arguments = arguments(McpClient::Cursor, &file);
            assert!(install(&arguments, program, &environment(folder.path())).is_err(), "{text}");
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
        }
        let missing = folder.path().join("a/b.json");
        let arguments = arguments(McpClient::Cursor, &missing);
        install(&arguments, Path::new("/x"), &environment(folder.path())).unwrap();
        assert!(missing.exists());
    }
}
