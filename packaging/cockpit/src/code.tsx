import { useId, type RefObject } from "react";
import { FormGroup, FormHelperText, HelperText, HelperTextItem, TextInput } from "@patternfly/react-core";

interface CodeFieldProps {
    label: string;
    value: string;
    onChange: (value: string) => void;
    /** Digits only; a recovery code has letters. */
    numeric?: boolean;
    help?: string;
    inputRef?: RefObject<HTMLInputElement>;
}

/** Where a code is typed. Nothing of it is stored: not by the browser either. */
export function CodeField({ label, value, onChange, numeric = false, help, inputRef }: CodeFieldProps) {
    const id = useId();
    return (
        <FormGroup label={label} fieldId={id} isRequired>
            <TextInput
                id={id} ref={inputRef} value={value} onChange={(_event, text) => onChange(text)} isRequired
                inputMode={numeric ? "numeric" : "text"} autoComplete={numeric ? "one-time-code" : "off"} spellCheck={false} autoCapitalize="off"
                maxLength={64} className="sp-code"
            />
            {help === undefined ? null : (
                <FormHelperText><HelperText><HelperTextItem>{help}</HelperTextItem></HelperText></FormHelperText>
            )}
        </FormGroup>
    );
}
