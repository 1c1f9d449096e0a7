/* The passkey helper: runs on https://web.whatsapp.com, has the browser sign a request with the
   person's passkey, and shows the answer. It sends nothing anywhere and reads nothing of the page. */
(() => {
  'use strict';
  const GIVEN = '';
  const ORIGIN = 'https://web.whatsapp.com';
  const SITES = ['whatsapp.com', 'web.whatsapp.com'];
  if (location.origin !== ORIGIN) {
    alert('This is not WhatsApp Web. Open ' + ORIGIN + ' in this tab, and use the helper there.');
    return;
  }

  const bytes = text => {
    const plain = text.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
    return Uint8Array.from(atob(plain), letter => letter.charCodeAt(0));
  };
  const base64 = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const checkCode = async request => {
    const hash = new DataView(await crypto.subtle.digest('SHA-256', bytes(request)));
    const digits = String(hash.getUint32(0) % 1000000).padStart(6, '0');
    return digits.slice(0, 3) + ' ' + digits.slice(3);
  };

  const OLD = 'wa-passkey-helper';
  document.getElementById(OLD)?.remove();
  const host = document.createElement('div');
  host.id = OLD;
  const root = host.attachShadow({ mode: 'open' });
  const make = (tag, text, style) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (style) element.style.cssText = style;
    return element;
  };
  const box = make('dialog', '', 'box-sizing:border-box;width:34rem;max-width:calc(100vw - 1rem);' +
    'max-height:calc(100vh - 1rem);overflow:auto;padding:1rem;border:2px solid #111;' +
    'border-radius:.5rem;background:#fff;color:#111;font:16px/1.5 system-ui,sans-serif');
  box.setAttribute('aria-labelledby', 'title');
  const title = make('h1', 'Sign with your passkey', 'font-size:1.25rem;margin:0 0 .5rem');
  title.id = 'title';
  const area = 'display:block;box-sizing:border-box;width:100%;font:14px/1.4 monospace;' +
    'padding:.5rem;border:1px solid #555;background:#fff;color:#111';
  const press = 'font:inherit;padding:.5rem 1.2rem;margin:.5rem .5rem .5rem 0;' +
    'border:2px solid #111;border-radius:.25rem;background:#fff;color:#111';
  const labelled = (text, id, rows) => {
    const label = make('label', text, 'display:block;margin-top:.5rem');
    label.htmlFor = id;
    const field = make('textarea', '', area);
    field.id = id;
    field.rows = rows;
    field.spellcheck = false;
    field.autocomplete = 'off';
    return [label, field];
  };
  const [askLabel, ask] = labelled('Request code (from the program that links your device)', 'request', 3);
  const check = make('p', '', 'margin:.5rem 0;font-weight:bold');
  check.id = 'check';
  const sign = make('button', 'Sign', press);
  sign.id = 'sign';
  const status = make('p', '', 'margin:.5rem 0');
  status.id = 'status';
  status.setAttribute('role', 'status');
  const [answerLabel, answer] = labelled('Answer', 'answer', 6);
  answer.readOnly = true;
  const copy = make('button', 'Copy the answer', press);
  copy.id = 'copy';
  const close = make('button', 'Close', press);
  close.id = 'close';
  const done = make('div');
  done.id = 'done';
  done.hidden = true;
  done.append(
    make('p', 'Signed. Copy the answer, and paste it into the page or the terminal that asked for it.'),
    answerLabel, answer, copy,
    make('p', 'Give it to nobody else: until it is used, whoever has it may link a device to your account.'));
  box.append(title,
    make('p', 'Only go on if you yourself are linking a device right now, and the check code is the one shown there.'),
    askLabel, ask, check, sign, status, done, close);
  root.append(box);
  document.documentElement.append(host);
  for (const kind of ['keydown', 'keyup', 'keypress', 'paste', 'copy', 'cut']) {
    host.addEventListener(kind, event => event.stopPropagation());
  }

  const inHash = /[#&]wa-passkey=([\w-]+)/.exec(location.hash);
  ask.value = inHash ? inHash[1] : GIVEN;
  const request = () => ask.value.replace(/\s+/g, '');
  const read = text => {
    const options = JSON.parse(new TextDecoder().decode(bytes(text)));
    if (!SITES.includes(options.rpId)) throw new Error('This request is not for WhatsApp. Do not sign it.');
    return {
      challenge: bytes(options.challenge),
      rpId: options.rpId,
      timeout: options.timeout,
      userVerification: options.userVerification,
      allowCredentials: (options.allowCredentials || []).map(allowed => ({
        type: 'public-key', id: bytes(allowed.id), transports: allowed.transports
      })),
      extensions: options.extensions && options.extensions.uvm ? { uvm: true } : undefined
    };
  };
  const showCheck = async () => {
    sign.disabled = true;
    check.textContent = '';
    if (!request()) {
      status.textContent = 'Paste the request code first.';
      return;
    }
    try {
      read(request());
      check.textContent = 'Check code: ' + await checkCode(request());
      status.textContent = '';
      sign.disabled = false;
    } catch (error) {
      status.textContent = error.message.startsWith('This request')
        ? error.message
        : 'This is not a request code, or not all of it. Copy it again, whole.';
    }
  };
  const why = error => ({
    NotAllowedError: 'The browser did not sign: it was cancelled, it took too long, or neither this ' +
      'browser nor your phone has a passkey for WhatsApp. To make one: on the phone, WhatsApp, ' +
      'Settings, Account, Passkeys. If the passkey is on the phone, choose "use a phone" when the ' +
      'browser asks, with Bluetooth on. Then press Sign again.',
    SecurityError: 'The browser says that this page may not use the passkey. Open ' + ORIGIN + ' and use the helper there.',
    NotSupportedError: 'This browser cannot use passkeys. Try a current Chrome, Edge, Safari or Firefox.'
  })[error.name] || 'The browser did not sign: ' + error.message;
  const signIt = async () => {
    if (!window.PublicKeyCredential) {
      status.textContent = why({ name: 'NotSupportedError' });
      return;
    }
    sign.disabled = true;
    status.textContent = 'Waiting for the passkey: look at what the browser asks …';
    try {
      const signed = await navigator.credentials.get({ publicKey: read(request()) });
      const { clientDataJSON, authenticatorData, signature, userHandle } = signed.response;
      const credential = JSON.stringify({
        id: base64(signed.rawId),
        type: 'public-key',
        response: {
          clientDataJSON: base64(clientDataJSON),
          authenticatorData: base64(authenticatorData),
          signature: base64(signature),
          userHandle: userHandle && base64(userHandle)
        }
      });
      answer.value = base64(new TextEncoder().encode(credential)).replace(/.{64}(?=.)/g, '$&\n');
      status.textContent = '';
      done.hidden = false;
      answer.focus();
      answer.select();
    } catch (error) {
      status.textContent = why(error);
    }
    sign.disabled = false;
  };
  const copyIt = async () => {
    answer.focus();
    answer.select();
    let copied = false;
    try {
      await navigator.clipboard.writeText(answer.value);
      copied = true;
    } catch (error) {
      copied = document.execCommand('copy');
    }
    status.textContent = copied ? 'Copied.' : 'Copy the marked text yourself (Ctrl+C, or a long press).';
  };
  ask.addEventListener('input', showCheck);
  sign.addEventListener('click', signIt);
  copy.addEventListener('click', copyIt);
  close.addEventListener('click', () => host.remove());
  box.addEventListener('close', () => host.remove());
  box.showModal();
  showCheck().then(() => (sign.disabled ? ask : sign).focus());
})();
