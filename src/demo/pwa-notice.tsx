import { useRegisterSW } from 'virtual:pwa-register/react';
import { useEffect, useState } from 'react';

/** What Chromium offers before it installs an app; not in the DOM types. */
interface InstallPrompt extends Event {
  prompt(): Promise<void>;
}

/** Works offline, can be installed, has a new version: says so when it is true. */
export function PwaNotice() {
  const {
    needRefresh: [hasUpdate],
    offlineReady: [isOfflineReady, setOfflineReady],
    updateServiceWorker,
  } = useRegisterSW();
  const [install, setInstall] = useState<InstallPrompt>();

  useEffect(() => {
    const offer = (event: Event) => {
      event.preventDefault();
      setInstall(event as InstallPrompt);
    };
    addEventListener('beforeinstallprompt', offer);
    return () => removeEventListener('beforeinstallprompt', offer);
  }, []);

  if (hasUpdate) {
    return (
      <div className="notice" role="status">
        <p>A new version is ready. What you have saved stays as it is.</p>
        <button type="button" onClick={() => void takeUpdate(updateServiceWorker)}>
          Reload with the new version
        </button>
      </div>
    );
  }
  if (!isOfflineReady && install === undefined) return null;
  const dismiss = () => {
    setOfflineReady(false);
    setInstall(undefined);
  };
  return (
    <div className="notice" role="status">
      <p>This app works without a network from now on.</p>
      {install !== undefined && (
        <button type="button" onClick={() => void install.prompt().then(dismiss)}>
          Install it
        </button>
      )}
      <button type="button" className="plain" onClick={dismiss}>
        Dismiss
      </button>
    </div>
  );
}

/** Reloads when the new version is in charge. The plugin does so only where an older version was when the page loaded. */
async function takeUpdate(updateServiceWorker: () => Promise<void>): Promise<void> {
  navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
  await updateServiceWorker();
}
